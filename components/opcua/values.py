"""Values off the wire into readings, and ours into what a node takes; pure.

A number that is none (NaN, infinity), an array without ``index`` and a structure are bad readings,
never values.
"""

import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncua import ua

from components.opcua.limits import MAX_TEXT
from components.opcua.settings import Point
from components.opcua.status import trust_of
from edge_runtime.model import Quality, Reading, Reason, Value

EPOCH_YEAR = 1970
"""Older times mean "not known" (a server without a clock, 1601)."""
NO_VALUE = Reason.NOT_IMPLEMENTED
IS_ARRAY = f"{Reason.CONFIGURATION}:array"
NO_SUCH_ELEMENT = f"{Reason.CONFIGURATION}:index"
STRUCTURE = f"{Reason.CONFIGURATION}:structure"

T = ua.VariantType
INTEGERS = {
    T.SByte: (-(2**7), 2**7 - 1),
    T.Byte: (0, 2**8 - 1),
    T.Int16: (-(2**15), 2**15 - 1),
    T.UInt16: (0, 2**16 - 1),
    T.Int32: (-(2**31), 2**31 - 1),
    T.UInt32: (0, 2**32 - 1),
    T.Int64: (-(2**63), 2**63 - 1),
    T.UInt64: (0, 2**64 - 1),
}
FLOATS = frozenset({T.Float, T.Double})


def bad(point: str, reason: str) -> Reading:
    """Make a reading without a value."""
    return Reading(point, None, Quality.BAD, reason)


def reading_of(point: Point, data: ua.DataValue) -> Reading:
    """Turn what a server said of a node into a reading."""
    code = data.StatusCode.value if data.StatusCode is not None else 0
    trust = trust_of(code)
    source_us = _microseconds(data.SourceTimestamp) or _microseconds(data.ServerTimestamp)
    if trust.quality is Quality.BAD:
        return Reading(point.name, None, trust.quality, trust.reason, source_us)
    value, reason = picked(point, data.Value)
    if value is None:
        return Reading(point.name, None, Quality.BAD, reason, source_us)
    return Reading(point.name, value, trust.quality, trust.reason, source_us)


def picked(point: Point, variant: ua.Variant | None) -> tuple[Value | None, str]:
    """Give the point's value out of a variant, or None and why there is none."""
    if variant is None or variant.Value is None:
        return None, NO_VALUE
    wanted = point.type
    if wanted is not None and variant.VariantType.name != wanted.value:
        return None, f"{Reason.CONFIGURATION}:type-{variant.VariantType.name}"
    found = variant.Value
    if variant.is_array or isinstance(found, list):
        if point.index is None or (variant.Dimensions and len(variant.Dimensions) > 1):
            return None, IS_ARRAY
        if point.index >= len(found):
            return None, NO_SUCH_ELEMENT
        found = found[point.index]
    elif point.index is not None:
        return None, NO_SUCH_ELEMENT
    value = plain(found)
    return value, "" if value is not None else _why(found)


def plain(found: Any) -> Value | None:
    """Give a value of the wire as one of ours; None for what has no such form."""
    if isinstance(found, bool):
        return found
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    if isinstance(found, int):  # enumerations too
        return int(found)
    for kind, text in _TEXTS.items():
        if isinstance(found, kind):
            said = text(found)
            return None if said is None else said[:MAX_TEXT]
    return int(found.value) if isinstance(found, ua.StatusCode) else None


_TEXTS: dict[type, Callable[[Any], str | None]] = {
    str: str,
    datetime: lambda found: _aware(found).isoformat(),
    UUID: str,
    bytes: bytes.hex,
    ua.LocalizedText: lambda found: found.Text,
    ua.QualifiedName: lambda found: found.Name,
    ua.NodeId: lambda found: found.to_string(),
}


def encode(value: Value, kind: ua.VariantType) -> ua.Variant:
    """Cast a value to the type of a node, losing nothing but digits of a float.

    Raises:
        ValueError: it does not fit; says why.

    """
    make = _CASTS.get(kind)
    if make is None and kind not in INTEGERS and kind not in FLOATS:
        msg = f"a value of the type {kind.name} cannot be written"
        raise ValueError(msg)
    if kind in INTEGERS:
        return ua.Variant(_integer(value, kind), kind)
    if kind in FLOATS:
        return ua.Variant(_float(value, kind), kind)
    assert make is not None
    try:
        return ua.Variant(make(value), kind)
    except (ValueError, TypeError, OverflowError):
        msg = f"{value!r} is no {kind.name}"
        raise ValueError(msg) from None


def _integer(value: Value, kind: ua.VariantType) -> int:
    if isinstance(value, str) or (isinstance(value, float) and not value.is_integer()):
        msg = f"{value!r} is no whole number, and the node is {kind.name}"
        raise ValueError(msg)
    low, high = INTEGERS[kind]
    if not low <= (number := int(value)) <= high:
        msg = f"{number} is outside of {low} to {high}, which {kind.name} holds"
        raise ValueError(msg)
    return number


def _float(value: Value, kind: ua.VariantType) -> float:
    if isinstance(value, str):
        msg = f"{value!r} is no number, and the node is {kind.name}"
        raise ValueError(msg)  # noqa: TRY004 - the value is what a person gave
    try:
        number = float(value)
        if not math.isfinite(number):
            raise OverflowError
        if kind is T.Float:
            struct.pack("<f", number)
    except OverflowError:
        msg = f"{value!r} is more than {kind.name} holds"
        raise ValueError(msg) from None
    return number


def _boolean(value: Value) -> bool:
    if value in (0, 1):
        return bool(value)
    raise ValueError


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _time(value: Value) -> datetime:
    return _aware(datetime.fromisoformat(_text(value))).astimezone(UTC)


_CASTS: dict[ua.VariantType, Callable[[Value], Any]] = {
    T.Boolean: _boolean,
    T.String: _text,
    T.LocalizedText: lambda value: ua.LocalizedText(_text(value)),
    T.Guid: lambda value: UUID(_text(value)),
    T.ByteString: lambda value: bytes.fromhex(_text(value)),
    T.DateTime: _time,
}


def _why(found: Any) -> str:
    if isinstance(found, float | ua.LocalizedText | ua.QualifiedName) or found is None:
        return NO_VALUE
    return STRUCTURE


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _microseconds(time: datetime | None) -> int | None:
    if time is None or time.year < EPOCH_YEAR:
        return None
    since = _aware(time) - datetime(EPOCH_YEAR, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds
