"""Metrics to values and back: data types, signs, quality, null, the metric's own time; pure."""

import math
from enum import IntEnum
from typing import Any, NamedTuple

from components.payloads.errors import PayloadError
from components.payloads.extract import MAX_TEXT
from components.sparkplug.payload import text_of
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality, Reason, Value

MOST_TIME_MS = 253_402_300_800_000
"""The year 10000."""
QUALITY = b"Quality"
"""Name of the property that tells how far a value may be trusted (Sparkplug 3.0, 6.4.14)."""
GOOD, STALE = 192, 500
BAD = 0


class DataType(IntEnum):
    """Data types of Sparkplug 3.0 (6.4.16); arrays and property sets have none here."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19


_BITS = {
    DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64,
    DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64,
    DataType.DATETIME: 64,
}  # fmt: skip
_SIGNED = frozenset({DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64})
_TEXTS = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})
_FLOATS = frozenset({DataType.FLOAT, DataType.DOUBLE})
LONG_BITS = 64


class Sample(NamedTuple):
    """What a metric said."""

    value: Value | None
    quality: Quality = Quality.GOOD
    reason: str = ""
    source_us: int | None = None
    historical: bool = False
    """It was kept by the edge node and is not the present value."""


def data_type(number: int) -> DataType | None:
    """Give a data type; None for one that has no value we could take."""
    try:
        return DataType(number)
    except ValueError:
        return None


def sample_of(metric: Any, declared: int, payload_ms: int | None) -> Sample:
    """Decode a metric by the data type that its birth declared; never raises."""
    number = metric.datatype if metric.HasField("datatype") else declared
    source_us = _time_us(metric.timestamp if metric.HasField("timestamp") else payload_ms)
    historical = bool(metric.is_historical)
    if metric.is_null:
        return Sample(None, Quality.BAD, Reason.NOT_IMPLEMENTED, source_us, historical)
    try:
        value = value_of(metric, number)
    except PayloadError as exc:
        reason = f"{Reason.DEVICE_ERROR}:{exc}"
        return Sample(None, Quality.BAD, reason, source_us, historical)
    if isinstance(value, float) and not math.isfinite(value):
        return Sample(None, Quality.BAD, Reason.NOT_IMPLEMENTED, source_us, historical)
    quality, reason = _quality_of(metric)
    kept = None if quality is Quality.BAD else value
    return Sample(kept, quality, reason, source_us, historical)


def value_of(metric: Any, number: int) -> Value:
    """Take the value of a metric of this data type.

    Raises:
        PayloadError: the type has no single value, or the value is not of the type.

    """
    kind = data_type(number)
    given = metric.WhichOneof("value")
    if kind in _BITS and given in {"int_value", "long_value"}:
        return _integer(kind, getattr(metric, given))
    if kind in _FLOATS and given in {"float_value", "double_value"}:
        number_given: float = getattr(metric, given)
        return number_given
    if kind is DataType.BOOLEAN and given == "boolean_value":
        return bool(metric.boolean_value)
    if kind in _TEXTS and given == "string_value":
        return text_of(metric.string_value, most=MAX_TEXT)
    if kind is None or kind in {DataType.DATASET, DataType.TEMPLATE, DataType.BYTES, DataType.FILE}:
        name = kind.name.lower() if kind is not None else f"data type {number}"
        msg = f"a {name} has no single value" if kind else f"{name} has no single value"
        raise PayloadError(msg)
    msg = f"{kind.name.lower()} with {given or 'no value'}"
    raise PayloadError(msg)


def _integer(kind: DataType, raw: int) -> int:
    """Read two's complement; some senders fill the bits above a short type with the sign."""
    bits = _BITS[kind]
    if kind in _SIGNED:
        low = raw & ((1 << bits) - 1)
        return low - (1 << bits) if low >> (bits - 1) else low
    if raw >> bits:
        msg = f"{raw} is no {kind.name.lower()}"
        raise PayloadError(msg)
    return raw


def _quality_of(metric: Any) -> tuple[Quality, str]:
    if not metric.HasField("properties"):
        return Quality.GOOD, ""
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key == QUALITY and value.WhichOneof("value") in {"int_value", "long_value"}:
            code = getattr(value, value.WhichOneof("value"))
            if code == GOOD:
                break
            if code == STALE:
                return Quality.BAD, Reason.STALE
            if code == BAD:
                return Quality.BAD, f"{Reason.DEVICE_ERROR}:quality 0"
            return Quality.UNCERTAIN, f"{Reason.DEVICE_ERROR}:quality {code}"
    return Quality.GOOD, ""


def _time_us(ms: int | None) -> int | None:
    return ms * 1_000 if ms is not None and 0 < ms < MOST_TIME_MS else None


def put_value(metric: Any, number: int, value: Value) -> None:
    """Write a value into a metric of a command.

    Raises:
        DeviceRefusedError: the value does not fit the metric's data type.

    """
    kind = data_type(number)
    metric.datatype = number
    if kind in _BITS and isinstance(value, int | float):
        _put_integer(metric, kind, value)
    elif kind in _FLOATS and isinstance(value, int | float) and math.isfinite(value):
        field = "float_value" if kind is DataType.FLOAT else "double_value"
        setattr(metric, field, float(value))
    elif kind is DataType.BOOLEAN and not isinstance(value, str):
        metric.boolean_value = bool(value)
    elif kind in _TEXTS and isinstance(value, str):
        metric.string_value = value.encode()
    else:
        name = kind.name.lower() if kind is not None else f"data type {number}"
        msg = f"{value!r} does not fit the metric, which is {name}"
        raise DeviceRefusedError(msg)


def _put_integer(metric: Any, kind: DataType, value: float) -> None:
    bits = _BITS[kind]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind in _SIGNED else (0, (1 << bits) - 1)
    if not low <= value <= high or value != int(value):
        msg = f"{value!r} is no {kind.name.lower()}: whole numbers from {low} to {high} are"
        raise DeviceRefusedError(msg)
    if bits == LONG_BITS:
        metric.long_value = int(value) & ((1 << 64) - 1)
    else:
        metric.int_value = int(value) & 0xFFFF_FFFF
