"""Writing one point: what may be written, its type and range, and whether it took effect. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from components.bacnet import limits
from components.bacnet.kinds import BINARY, COMMANDED, MULTI_STATE, object_type
from components.bacnet.settings import Point, is_value, ref_of, shown
from components.bacnet.values import NULL, Kind, as_switch, encode
from components.bacnet.wire import DamagedError, Tag
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Value

RELINQUISH = "relinquish"
"""Written to a point that holds no text, it takes our value out of the priority array."""
LOWEST_PRIORITY = limits.MAX_PRIORITY
MEASURED_HINT = "Write an output or a value object; to test the device use its own tools."
VALUE_KINDS = frozenset({Kind.BOOLEAN, Kind.UNSIGNED, Kind.INTEGER, Kind.REAL, Kind.DOUBLE,
                         Kind.ENUMERATED, Kind.TEXT})  # fmt: skip


class Range(NamedTuple):
    """What the device accepts; None where it does not say."""

    states: int | None = None
    low: float | None = None
    high: float | None = None


def check_writable(point: Point) -> None:
    """Check that a point can be written at all.

    Raises:
        DeviceRefusedError: the device makes the value itself.

    """
    ref = ref_of(point)
    kind = object_type(ref.object[0])
    if is_value(ref) and kind.measured:
        msg = f"'{point.name}' cannot be written: the device measures {shown(point)} itself"
        raise DeviceRefusedError(msg, hint=MEASURED_HINT)


def fixed_kind(point: Point) -> Kind | None:
    """Give the type of what is written; None where only the device knows it."""
    ref = ref_of(point)
    return object_type(ref.object[0]).kind if is_value(ref) else None


def is_relinquish(point: Point, value: Value) -> bool:
    """Tell whether a value means "take ours away"."""
    return value == RELINQUISH and fixed_kind(point) is not Kind.TEXT


def written_bytes(point: Point, kind: Kind, value: Value, limit: Range = Range()) -> bytes:  # noqa: B008 - frozen
    """Encode a value for a point, checked against type and range.

    Raises:
        DeviceRefusedError: it does not fit.

    """
    if is_relinquish(point, value):
        return NULL
    if kind not in VALUE_KINDS:
        msg = f"'{point.name}' cannot be written: values of the type {kind.title} are not supported"
        raise DeviceRefusedError(msg)
    ref = ref_of(point)
    try:
        if is_value(ref) and ref.object[0] in BINARY:
            value = int(as_switch(value))
        encoded = encode(kind, value)
        _check_range(ref.object[0] in MULTI_STATE and is_value(ref), value, limit)
    except ValueError as exc:
        msg = f"'{point.name}' ({shown(point)}) was not written: {exc}"
        raise DeviceRefusedError(msg) from exc
    return encoded


def _check_range(multi_state: bool, value: Value, limit: Range) -> None:
    if isinstance(value, str):
        return
    if multi_state and not 1 <= value <= (limit.states or value):
        msg = f"found {value:g}; states go from 1 to {limit.states or 'what the device has'}"
        raise ValueError(msg)
    if (limit.low is not None and value < limit.low) or (
        limit.high is not None and value > limit.high
    ):
        msg = f"{value:g} is outside of what the object accepts, {limit.low} to {limit.high}"
        raise ValueError(msg)


def may_be_commanded(point: Point) -> bool:
    """Tell whether the point can have a priority array."""
    ref = ref_of(point)
    kind = object_type(ref.object[0])
    return (
        is_value(ref)
        and not kind.measured
        and (
            ref.object[0] in COMMANDED or point.priority is not None or kind.name.endswith("-value")
        )
    )


def overruled_by(slots: Sequence[Tag], priority: int | None) -> int | None:
    """Give the priority that wins over ours, by the priority array; None for none.

    Raises:
        DamagedError: it is no priority array.

    """
    places = [tag for tag in slots if not tag.context]
    if len(places) != limits.MAX_PRIORITY:
        raise DamagedError("a priority array that has not 16 places")
    for number, tag in enumerate(places, start=1):
        if number >= (priority or LOWEST_PRIORITY):
            return None
        if tag.number != Kind.NULL:
            return number
    return None
