"""Writing one node: may it be written, what type does it have, and did the server take it."""

from typing import Any

from asyncua import ua

from components.opcua import limits
from components.opcua.session import Session
from components.opcua.settings import Point
from components.opcua.status import is_good, name_of
from components.opcua.values import encode
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Value

A = ua.AttributeIds
ASKED = (A.Value, A.DataType, A.AccessLevel, A.UserAccessLevel)
MAX_BUILT_IN = 25
ENUMERATION = 29
"""Base type of enumerations: Int32 on the wire (Part 3, 8.40)."""
ALIASES = {290: ua.VariantType.Double, 294: ua.VariantType.DateTime, 288: ua.VariantType.UInt32}
"""Duration, UtcTime, IntegerId."""
HINTS = {
    "BadUserAccessDenied": "The user that the gateway logs in as may not write this node.",
    "BadNotWritable": "The node is read-only on the server.",
    "BadTypeMismatch": "The server wants another type than it says of the node.",
    "BadOutOfRange": "The server limits this node further.",
}


async def write_point(session: Session, point: Point, value: Value) -> None:
    """Write a raw value, cast to the type of the node.

    Raises:
        DeviceRefusedError: the node may not be written, the value does not fit, or the server
            refused.

    """
    if point.index is not None:
        msg = f"'{point.name}' is one element of an array: the others cannot be kept"
        raise DeviceRefusedError(msg, hint="Write the elements by a method of the server.")
    try:
        node = session.node_id(point.node)
    except LookupError as exc:
        msg = f"'{point.name}' was not written: {exc}"
        raise DeviceRefusedError(msg) from exc
    kind = await _type_of(session, point, node)
    try:
        variant = encode(value, kind)
    except ValueError as exc:
        msg = f"'{point.name}' was not written: {exc}"
        raise DeviceRefusedError(msg) from exc
    parameters = ua.WriteParameters(
        NodesToWrite=[
            ua.WriteValue(NodeId=node, AttributeId=A.Value, Value=ua.DataValue(Value=variant))
        ]
    )
    results = await session.services.write(parameters)
    code = results[0].value
    if not is_good(code):
        name = name_of(code)
        msg = f"'{point.name}' was not written: the server says {name}"
        raise DeviceRefusedError(msg, hint=HINTS.get(name, ""))


async def _type_of(session: Session, point: Point, node: ua.NodeId) -> ua.VariantType:
    value, data_type, *access = await session.read([(node, what) for what in ASKED])
    if not is_good(_code(data_type)):
        msg = f"'{point.name}' was not written: the server says {name_of(_code(data_type))}"
        raise DeviceRefusedError(msg, hint="Check the point's 'node'.")
    for level in access:
        bits = level.Value.Value if level.Value is not None else None
        if isinstance(bits, int) and not bits & limits.CURRENT_WRITE:
            msg = f"'{point.name}' was not written: the server does not allow it (AccessLevel)"
            raise DeviceRefusedError(msg, hint=HINTS["BadNotWritable"])
    held = value.Value
    if held is not None and held.Value is not None and isinstance(held.VariantType, ua.VariantType):
        if held.is_array:
            msg = f"'{point.name}' was not written: the node is an array"
            raise DeviceRefusedError(msg)
        return held.VariantType
    return built_in(data_type.Value.Value if data_type.Value is not None else None)


def built_in(data_type: object) -> ua.VariantType:
    """Give the type on the wire of a data type.

    Raises:
        DeviceRefusedError: it is not one of the specification's own.

    """
    if isinstance(data_type, ua.NodeId) and data_type.NamespaceIndex == 0:
        number: Any = data_type.Identifier
        if number == ENUMERATION:
            return ua.VariantType.Int32
        if number in ALIASES:
            return ALIASES[number]
        if isinstance(number, int) and 0 < number <= MAX_BUILT_IN:
            return ua.VariantType(number)
    msg = f"the type {data_type} has no value yet to tell how it is written"
    raise DeviceRefusedError(msg)


def _code(data: ua.DataValue) -> int:
    return data.StatusCode.value if data.StatusCode is not None else 0
