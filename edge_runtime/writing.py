"""Write an engineering value to a point: check it, make it raw, write, and read it back.

What may be written at all, by whom and until when, is decided before this (the command path). Here
stand the checks that hold for everybody: the point is made for writing, the value fits its kind and
lies within its limits, and what the device then says it has is what was meant.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from edge_runtime.clock import Clock
from edge_runtime.driver import Device, Writable
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.judging import MAX_EXPONENT, Exponent, judge_point, judge_reading
from edge_runtime.model import Access, Point, PointKind, Quality, Reading, Value

READ_BACKS = 5
"""How often a device is asked whether it took the value; many need a moment."""
FIRST_WAIT_S = 0.1
"""Before the second read-back; doubled from one to the next, 1.5 s altogether."""
RELATIVE = 1e-6
"""A 32-bit float holds seven digits: what comes back may differ in the last."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write."""

    raw: Value
    """As it went to the device."""
    read_back: Reading | None
    """The engineering value that the device gave afterwards; None of a point that only takes."""
    confirmed: bool
    """Whether the device has what was written; always false where nothing can be read back."""


async def write_point(
    device: Device, point: Point, value: Value, clock: Clock, *, scaling: Point | None = None
) -> Written:
    """Write a value in engineering units; ``scaling`` is the point's ``scale_point``, if it has one.

    Raises:
        DeviceRefusedError: the point or the value does not fit, or the device refused.
        DeviceUnreachableError: the device did not answer; whether it took the value is not known.

    """
    if not isinstance(device, Writable):
        msg = f"'{point.name}' cannot be written: its device takes no values"
        raise DeviceRefusedError(msg)
    exponent = await _exponent(device, scaling) if scaling is not None else None
    raw = to_raw(point, value, exponent)
    await device.write(point.name, raw)
    if point.access is Access.WRITE:
        return Written(raw, None, confirmed=False)
    wait_s, judge = FIRST_WAIT_S, judge_point(point, exponent)
    for attempt in range(READ_BACKS):
        if attempt:
            await clock.sleep(wait_s)
            wait_s *= 2
        [reading] = await device.read([point.name])
        found, quality, reason = judge_reading(judge, reading)
        read_back = Reading(point.name, found, quality, reason, reading.source_us)
        if quality is not Quality.BAD and same(point, wanted(point, value), found):
            return Written(raw, read_back, confirmed=True)
    return Written(raw, read_back, confirmed=False)


async def _exponent(device: Device, scaling: Point) -> Exponent:
    [reading] = await device.read([scaling.name])
    power = reading.value
    if not isinstance(power, int) or abs(power) > MAX_EXPONENT:
        msg = f"'{scaling.name}' gives no scale factor now, so nothing scaled by it can be written"
        raise DeviceRefusedError(msg)
    return Exponent(power)


def wanted(point: Point, value: Value) -> Value:
    """Give the engineering value that is meant: a label stands for its number."""
    if point.kind is PointKind.ENUMERATION and isinstance(value, str):
        numbers = [number for number, label in point.labels.items() if label == value]
        if len(numbers) != 1:
            raise _refused(point, value, f"one of {', '.join(point.labels.values())}")
        return numbers[0]
    return value


def to_raw(point: Point, value: Value, exponent: Exponent | None = None) -> Value:
    """Check an engineering value and make the raw value of it that the device takes.

    Raises:
        DeviceRefusedError: it cannot be written, or not to this point.

    """
    if point.access is Access.READ:
        msg = f"'{point.name}' is only read: its profile does not say 'access: read_write'"
        raise DeviceRefusedError(msg)
    raw = _RAW[point.kind](point, wanted(point, value), exponent)
    if raw in point.sentinels:
        raise _refused(point, value, "a value that does not mean 'not implemented'")
    return raw


def _text(point: Point, value: Value, _: Exponent | None) -> Value:
    if not isinstance(value, str):
        raise _refused(point, value, "a text")
    return value


def _boolean(point: Point, value: Value, _: Exponent | None) -> Value:
    if value not in {True, False} or isinstance(value, float | str):
        raise _refused(point, value, "true or false")
    return bool(value)


def _label(point: Point, value: Value, _: Exponent | None) -> Value:
    if isinstance(value, bool | str | float) or value not in point.labels:
        known = ", ".join(f"{number} ({label})" for number, label in point.labels.items())
        raise _refused(point, value, f"one of {known}")
    return value


def _number(point: Point, value: Value, exponent: Exponent | None) -> Value:
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise _refused(point, value, "a number")
    low = -math.inf if point.minimum is None else point.minimum
    high = math.inf if point.maximum is None else point.maximum
    if not low <= value <= high:
        raise _refused(point, value, f"{low:g} to {high:g} {point.unit}".rstrip())
    if point.kind is PointKind.INTEGER and not float(value).is_integer():
        raise _refused(point, value, "a whole number")
    power = exponent.value if exponent is not None and exponent.value is not None else 0
    if point.scale == 1 and point.offset == 0 and power == 0:
        return int(value) if point.kind is PointKind.INTEGER else value
    raw = (value - point.offset) / point.scale / 10.0**power
    if not math.isfinite(raw):
        raise _refused(point, value, "a value that its scale leaves finite")
    return round(raw) if abs(raw - round(raw)) <= RELATIVE * max(1.0, abs(raw)) else raw


_RAW: dict[PointKind, Callable[[Point, Value, Exponent | None], Value]] = {
    PointKind.TEXT: _text,
    PointKind.BOOLEAN: _boolean,
    PointKind.ENUMERATION: _label,
    PointKind.INTEGER: _number,
    PointKind.FLOAT: _number,
}


def same(point: Point, meant: Value, found: Value | None) -> bool:
    """Tell whether what was read back is what was meant, as far as the device resolves."""
    if found is None or isinstance(meant, str) or isinstance(found, str):
        return found == meant
    if point.kind is not PointKind.FLOAT:
        return found == meant
    step = 10.0**-point.decimals / 2 if point.decimals is not None else 0.0
    return abs(found - meant) <= max(step, RELATIVE * max(abs(found), abs(meant)))


def _refused(point: Point, value: Value, allowed: str) -> DeviceRefusedError:
    return DeviceRefusedError(
        f"'{point.name}' was not written: found {value!r}; expected {allowed}"
    )
