"""Objects of simulated devices, as bacpypes3 serves them."""

from collections.abc import Sequence
from typing import Any

from bacpypes3.basetypes import EngineeringUnits, Reliability, StatusFlags
from bacpypes3.local.analog import (
    AnalogInputObject,
    AnalogOutputObject,
    AnalogValueObject,
    AnalogValueObjectCmd,
)
from bacpypes3.local.binary import BinaryInputObject, BinaryOutputObject, BinaryValueObject
from bacpypes3.local.cov import GenericCriteria
from bacpypes3.local.multistate import MultiStateInputObject, MultiStateValueObject
from bacpypes3.local.object import Object
from bacpypes3.object import CharacterStringValueObject


class MultiStateInput(MultiStateInputObject):  # type: ignore[misc]  # untyped
    """bacpypes3 gives it the criteria of an analog object, which want an increment."""

    _cov_criteria = GenericCriteria


class MultiStateValue(MultiStateValueObject):  # type: ignore[misc]  # untyped
    """The same of a value."""

    _cov_criteria = GenericCriteria


class TextValue(Object, CharacterStringValueObject):  # type: ignore[misc]  # untyped
    """A text that may be written; without COV."""


_ANALOG = {"input": AnalogInputObject, "output": AnalogOutputObject,
           "value": AnalogValueObject, "command": AnalogValueObjectCmd}  # fmt: skip
_BINARY = {"input": BinaryInputObject, "output": BinaryOutputObject, "value": BinaryValueObject}
_MULTI_STATE = {"input": MultiStateInput, "value": MultiStateValue}


def _shared(title: str, number: int, name: str) -> dict[str, Any]:
    return {
        "objectIdentifier": (title, number),
        "objectName": name,
        "eventState": "normal",
        "outOfService": False,
        "reliability": Reliability.noFaultDetected,
    }


def analog(
    role: str,
    number: int,
    name: str,
    value: float,
    unit: str,
    *,
    increment: float = 0.1,
    **more: Any,
) -> Any:
    """Make an analog input, output, value, or a value with a priority array (command)."""
    title = f"analog-{'value' if role == 'command' else role}"
    return _ANALOG[role](
        **_shared(title, number, name),
        presentValue=value,
        units=EngineeringUnits(unit),
        covIncrement=increment,
        **more,
    )


def binary(
    role: str, number: int, name: str, on: bool, texts: tuple[str, str] = ("off", "on"), **more: Any
) -> Any:
    """Make a binary input, output or value."""
    if role != "value":
        more["polarity"] = "normal"
    return _BINARY[role](
        **_shared(f"binary-{role}", number, name),
        presentValue="active" if on else "inactive",
        inactiveText=texts[0],
        activeText=texts[1],
        **more,
    )


def multi_state(
    role: str, number: int, name: str, state: int, texts: Sequence[str], **more: Any
) -> Any:
    """Make a multi-state input or value; states count from 1."""
    return _MULTI_STATE[role](
        **_shared(f"multi-state-{role}", number, name),
        presentValue=state,
        numberOfStates=len(texts),
        stateText=list(texts),
        **more,
    )


def text(number: int, name: str, value: str) -> Any:
    """Make a character string value."""
    return TextValue(
        objectIdentifier=("characterstring-value", number),
        objectName=name,
        presentValue=value,
    )


def fail(obj: Any, reliability: int) -> None:
    """Make an object unreliable; the status flag "fault" follows, and is reported."""
    before = obj.statusFlags
    obj.reliability = Reliability(reliability)
    _tell(obj, before)


def take_out_of_service(obj: Any) -> None:
    """Take an object off its input or output."""
    before = obj.statusFlags
    obj.outOfService = True
    _tell(obj, before)


def _tell(obj: Any, before: StatusFlags) -> None:
    """Tell who watches the status flags, which bacpypes3 derives without telling anybody."""
    for changed in obj._property_monitors["statusFlags"]:  # noqa: SLF001 - no other way to them
        changed(before, obj.statusFlags)
