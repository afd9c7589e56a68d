"""Calling a method of a server: arguments cast to what it asks for, results as plain values."""

from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.ua.uaprotocol_auto import Argument

from components.opcua.ids import node_id, standard
from components.opcua.limits import MAX_ARGUMENTS
from components.opcua.session import Session
from components.opcua.settings import Method
from components.opcua.status import is_good, name_of
from components.opcua.values import encode, plain
from components.opcua.writing import built_in
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Value

HINTS = {
    "BadUserAccessDenied": "The user that the gateway logs in as may not call this method.",
    "BadMethodInvalid": "Check 'method' and 'object': the object has no such method.",
    "BadNodeIdUnknown": "Check 'method' and 'object'.",
    "BadInvalidState": "The machine is in a state in which it does not do this.",
}
SCALAR = -1
_YES: Any = True
_NO: Any = False
"""asyncua's annotations want a class that has no values."""


async def call_method(session: Session, method: Method, values: Sequence[Value]) -> list[Value]:
    """Call a method.

    Raises:
        DeviceRefusedError: arguments do not fit, or the server refused.

    """
    where = f"method '{method.name}'"
    try:
        on, node = session.node_id(method.object), session.node_id(method.method)
    except LookupError as exc:
        msg = f"{where} was not called: {exc}"
        raise DeviceRefusedError(msg) from exc
    wanted = await _arguments(session, node)
    arguments = cast_arguments(where, wanted, values)
    request = ua.CallMethodRequest(ObjectId=on, MethodId=node, InputArguments=arguments)
    [result] = await session.services.call([request])
    code = result.StatusCode.value
    if not is_good(code):
        msg = f"{where} was refused: the server says {name_of(code)}"
        raise DeviceRefusedError(msg + _which(result, wanted), hint=HINTS.get(name_of(code), ""))
    return [_result(where, variant) for variant in (result.OutputArguments or ())[:MAX_ARGUMENTS]]


def cast_arguments(
    where: str, wanted: Sequence[Argument], values: Sequence[Value]
) -> list[ua.Variant]:
    """Cast arguments to the types that a method asks for.

    Raises:
        DeviceRefusedError: there are too many or too few, or one does not fit.

    """
    names = ", ".join(str(argument.Name) for argument in wanted) or "none"
    if len(values) != len(wanted):
        msg = f"{where} takes {len(wanted)} arguments ({names}), not {len(values)}"
        raise DeviceRefusedError(msg)
    cast = []
    for argument, value in zip(wanted, values, strict=True):
        if argument.ValueRank != SCALAR:
            msg = f"{where}: argument '{argument.Name}' is an array, which cannot be given"
            raise DeviceRefusedError(msg)
        try:
            cast.append(encode(value, built_in(argument.DataType)))
        except ValueError as exc:
            msg = f"{where}: argument '{argument.Name}': {exc}"
            raise DeviceRefusedError(msg) from exc
    return cast


async def _arguments(session: Session, method: ua.NodeId) -> list[Argument]:
    """Look up what a method asks for: its property InputArguments, which those without have not."""
    path = ua.BrowsePath(
        StartingNode=method,
        RelativePath=ua.RelativePath(
            Elements=[
                ua.RelativePathElement(
                    ReferenceTypeId=standard(ua.ObjectIds.HasProperty),
                    IsInverse=_NO,
                    IncludeSubtypes=_YES,
                    TargetName=ua.QualifiedName("InputArguments", 0),
                )
            ]
        ),
    )
    [found] = await session.services.translate_browsepaths_to_nodeids([path])
    if not found.StatusCode.is_good() or not found.Targets:
        return []
    target = found.Targets[0].TargetId
    [data] = await session.read_values([node_id(target.Identifier, target.NamespaceIndex)])
    held = data.Value.Value if data.Value is not None else None
    arguments = held if isinstance(held, list) else []
    return [a for a in arguments[:MAX_ARGUMENTS] if isinstance(a, Argument)]


def _which(result: ua.CallMethodResult, wanted: Sequence[Argument]) -> str:
    said = [
        f"{argument.Name}: {name_of(status.value)}"
        for argument, status in zip(wanted, result.InputArgumentResults or (), strict=False)
        if not status.is_good()
    ]
    return f" ({', '.join(said)})" if said else ""


def _result(where: str, variant: ua.Variant) -> Value:
    value = plain(variant.Value)
    if value is None:
        msg = f"{where} was called, but gave a {variant.VariantType.name} that is no plain value"
        raise DeviceRefusedError(msg)
    return value
