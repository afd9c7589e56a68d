"""Raw values to engineering values with quality. Pure.

A point is compiled once into a closure with only the steps that it needs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from edge_runtime.model import Point, PointKind, Quality, Reading, Reason, Value

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD

Judged = tuple[Value | None, Quality, str]
"""Engineering value, quality, reason."""
Judge = Callable[[Value], Judged]

NOT_IMPLEMENTED: Judged = (None, BAD, Reason.NOT_IMPLEMENTED.value)
MISFIT: Judged = (None, BAD, Reason.CONFIGURATION.value)
MAX_EXPONENT = 10
"""SunSpec scale factors are -10 to 10."""
MAX_DECIMALS = 6
EXACT = 1 << 53
"""Integers below are floats without loss."""


@dataclass(slots=True)
class Exponent:
    """The last power of ten that another point of the device gave; None while it gave none."""

    value: int | None = None


def judge_point(point: Point, exponent: Exponent | None = None) -> Judge:
    """Compile a point into a function from raw value to engineering value with quality."""
    judge: Judge
    if point.kind is PointKind.TEXT:
        judge = _judge_text
    elif point.bit is not None:
        judge = _judge_bit(point.bit)
    elif point.kind is PointKind.BOOLEAN:
        judge = _judge_boolean
    elif point.kind is PointKind.ENUMERATION:
        judge = _judge_enumeration(frozenset(point.labels))
    else:
        judge = _judge_number(point, exponent)
    return _without_sentinels(judge, frozenset(point.sentinels)) if point.sentinels else judge


def _without_sentinels(judge: Judge, sentinels: frozenset[float]) -> Judge:
    def judged(raw: Value) -> Judged:
        return NOT_IMPLEMENTED if raw in sentinels else judge(raw)

    return judged


def _judge_text(raw: Value) -> Judged:
    return (raw if isinstance(raw, str) else str(raw)), GOOD, ""


def _judge_bit(bit: int) -> Judge:
    mask = 1 << bit

    def judged(raw: Value) -> Judged:
        return (raw & mask != 0, GOOD, "") if isinstance(raw, int) else MISFIT

    return judged


def _judge_boolean(raw: Value) -> Judged:
    if isinstance(raw, str):
        return MISFIT
    return raw != 0, GOOD, ""


def _judge_enumeration(labels: frozenset[int]) -> Judge:
    def judged(raw: Value) -> Judged:
        if isinstance(raw, str) or raw != raw or raw in {math.inf, -math.inf}:  # noqa: PLR0124 - NaN
            return MISFIT if isinstance(raw, str) else NOT_IMPLEMENTED
        value = int(raw)
        return (value, GOOD, "") if value in labels else (value, UNCERTAIN, "unknown_label")

    return judged


def _judge_number(point: Point, exponent: Exponent | None) -> Judge:
    low = -math.inf if point.minimum is None else point.minimum
    high = math.inf if point.maximum is None else point.maximum
    finish = _finish(point)
    engineering = _engineering(point, exponent)

    def judged(raw: Value) -> Judged:
        if isinstance(raw, str):
            return MISFIT
        value = engineering(raw)
        if value is None or not -math.inf < value < math.inf:
            return NOT_IMPLEMENTED
        if low <= value <= high:
            return finish(value), GOOD, ""
        return finish(low if value < low else high), UNCERTAIN, "out_of_range"

    unlimited = point.minimum is None and point.maximum is None
    return _quickly(point, judged) if exponent is None and unlimited else judged


def _quickly(point: Point, judge: Judge) -> Judge:
    """Do what most values of most devices need without a call more; the rest is for ``judge``."""
    if point.scale != 1 or point.offset != 0:
        return _scaled_quickly(point, judge)
    if point.kind is PointKind.INTEGER:
        return lambda raw: (raw, GOOD, "") if type(raw) is int else judge(raw)
    decimals = point.decimals

    def judged(raw: Value) -> Judged:
        if type(raw) is float and -math.inf < raw < math.inf:
            return (raw if decimals is None else round(raw, decimals)), GOOD, ""
        return judge(raw)

    return judged


def _scaled_quickly(point: Point, judge: Judge) -> Judge:
    scale, offset, decimals = point.scale, point.offset, point.decimals
    places = implied_decimals(scale, offset)
    coarser = decimals is not None and places is not None and decimals < places
    if point.kind is not PointKind.FLOAT or places is None or coarser:
        return judge
    return lambda raw: (
        (round(raw * scale + offset, places), GOOD, "")
        if type(raw) is int and -EXACT < raw < EXACT
        else judge(raw)
    )


def _engineering(point: Point, exponent: Exponent | None) -> Callable[[float], float | None]:
    """Give ``raw * scale * 10**exponent + offset``, with only the steps that change something."""
    scale, offset = _whole(point.scale), _whole(point.offset)
    if exponent is not None:

        def scaled_by_point(raw: float) -> float | None:
            power = exponent.value
            return None if power is None else _times_power(raw * scale, power) + offset

        return scaled_by_point
    if scale == 1 and offset == 0:
        return lambda raw: raw
    places = implied_decimals(point.scale, point.offset)
    if places is None:
        return lambda raw: raw * scale + offset

    def exact(raw: float) -> float | None:
        value = raw * scale + offset
        return round(value, places) if type(raw) is int else value

    return exact


def _times_power(value: float, power: int) -> float:
    """Multiply by ``10**power``; 10 to a negative power is no exact float, its inverse is."""
    factor: int = 10 ** abs(power)
    return value * factor if power >= 0 else value / factor


def _whole(number: float) -> float:
    """Keep integers integers: a 64-bit counter must not go through a float."""
    return int(number) if number.is_integer() else number


def implied_decimals(scale: float, offset: float) -> int | None:
    """Tell how many decimals ``integer * scale + offset`` can have; None for more than 6.

    213 times 0.1 is 21.3 and not 21.300000000000001: what the device meant, and what packs well.
    """
    places = max(_places(scale), _places(offset))
    return places if places <= MAX_DECIMALS else None


def _places(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _finish(point: Point) -> Callable[[float], Value]:
    """Round and convert to the point's kind."""
    decimals = point.decimals
    if point.kind is PointKind.INTEGER:
        return round
    if decimals is None:
        return float
    return lambda value: round(float(value), decimals)


def judge_reading(judge: Judge, reading: Reading) -> Judged:
    """Judge a driver's reading; what the driver doubts stays doubted."""
    raw = reading.value
    if reading.quality is GOOD and raw is not None:
        return judge(raw)
    if raw is None or reading.quality is BAD:
        return None, BAD, str(reading.reason) or Reason.DEVICE_ERROR.value
    value, quality, reason = judge(raw)
    return (value, UNCERTAIN, str(reading.reason)) if quality is GOOD else (value, quality, reason)
