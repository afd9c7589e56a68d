"""Raw readings to engineering values, and which of them are worth sending. Pure: no I/O, no clock.

A point is compiled once into a closure with only the steps that it needs. Report by exception: a
reading is sent when it is the first one, when quality or reason changed, when a value moved by more
than the point's deadband, and at the latest after the point's maximum silence.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from edge_runtime.driver import DeviceSettings
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

    return judged


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


@dataclass(slots=True)
class Sent:
    """What was last sent of a point; times in seconds on the monotonic clock."""

    value: Value | None
    quality: Quality
    reason: str
    at: float


def worth_sending(
    sent: Sent | None, judged: Judged, now: float, deadband: float, silence: float
) -> bool:
    """Decide report by exception for one reading."""
    if sent is None or now - sent.at >= silence:
        return True
    value, quality, reason = judged
    if quality is not sent.quality or reason != sent.reason:
        return True
    if value == sent.value:
        return False
    if deadband == 0 or isinstance(value, str) or isinstance(sent.value, str):
        return True
    return value is None or sent.value is None or abs(value - sent.value) > deadband


@dataclass(slots=True)
class _Track:
    """One point: how to judge it, and what was last sent."""

    key: str
    judge: Judge
    deadband: float
    silence: float
    exponent: Exponent | None
    """Filled from this point's raw value when other points scale by it."""
    sent: Sent | None = None
    last: Judged | None = None
    """What the device last gave, which a confirmation repeats; None since the device was lost."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """One read of a device: all readings in engineering values, and those worth sending."""

    device: str
    readings: Sequence[Reading]
    reported: Sequence[Reading]


class Normaliser:
    """The state of one device's points between reads."""

    def __init__(self, settings: DeviceSettings) -> None:
        self._device = settings.name
        scaling = {p.scale_point for p in settings.points} - {None}
        exponents = {name: Exponent() for name in scaling if name is not None}
        self._tracks: dict[str, _Track] = {
            point.name: _track(settings, point, exponents) for point in settings.points
        }
        self._scaling = frozenset(exponents)

    def take(self, raw: Sequence[Reading], received_us: int, now: float) -> Normalised:
        """Normalise the readings of one read; ``now`` in seconds on the monotonic clock."""
        tracks = self._tracks
        if self._scaling:
            self._learn_exponents(raw)
        readings: list[Reading] = []
        reported: list[Reading] = []
        for reading in raw:
            track = tracks[reading.point]
            track.last = judged = judge_reading(track.judge, reading)
            value, quality, reason = judged
            out = Reading(track.key, value, quality, reason, reading.source_us, received_us)
            readings.append(out)
            if worth_sending(track.sent, judged, now, track.deadband, track.silence):
                track.sent = Sent(value, quality, reason, now)
                reported.append(out)
        return Normalised(self._device, readings, reported)

    def confirm(self, points: Iterable[str], received_us: int, now: float) -> Normalised:
        """Repeat the last readings of these points: the device says that they still hold."""
        tracks = [self._tracks[point] for point in points]
        judged = [(track, track.last) for track in tracks if track.last is not None]
        return self._say(judged, received_us, now)

    def fail(self, points: Iterable[str], reason: str, received_us: int, now: float) -> Normalised:
        """Mark points as bad; sent once, then again after each maximum silence."""
        judged: Judged = (None, BAD, reason)
        return self._say([(self._tracks[point], judged) for point in points], received_us, now)

    def lose(self, points: Iterable[str], reason: str, received_us: int, now: float) -> Normalised:
        """Mark points as bad whose last reading can no longer be confirmed."""
        for point in points:
            self._tracks[point].last = None
        return self.fail(points, reason, received_us, now)

    def _say(
        self, judged: Sequence[tuple[_Track, Judged]], received_us: int, now: float
    ) -> Normalised:
        readings: list[Reading] = []
        reported: list[Reading] = []
        for track, (value, quality, reason) in judged:
            out = Reading(track.key, value, quality, reason, None, received_us)
            readings.append(out)
            same = (value, quality, reason)
            if worth_sending(track.sent, same, now, track.deadband, track.silence):
                track.sent = Sent(value, quality, reason, now)
                reported.append(out)
        return Normalised(self._device, readings, reported)

    def forget(self) -> None:
        """Send every point with its next reading, whatever its deadband."""
        for track in self._tracks.values():
            track.sent = None

    def _learn_exponents(self, raw: Sequence[Reading]) -> None:
        for reading in raw:
            if reading.point in self._scaling and reading.quality is not BAD:
                exponent = self._tracks[reading.point].exponent
                if exponent is not None:
                    exponent.value = _power(reading.value)


def judge_reading(judge: Judge, reading: Reading) -> Judged:
    """Judge a driver's reading; what the driver doubts stays doubted."""
    raw = reading.value
    if reading.quality is GOOD and raw is not None:
        return judge(raw)
    if raw is None or reading.quality is BAD:
        return None, BAD, str(reading.reason) or Reason.DEVICE_ERROR.value
    value, quality, reason = judge(raw)
    return (value, UNCERTAIN, str(reading.reason)) if quality is GOOD else (value, quality, reason)


def _power(raw: Value | None) -> int | None:
    """Read a scale factor; the sentinel 0x8000 (-32768) and anything past ±10 is none."""
    if isinstance(raw, int) and -MAX_EXPONENT <= raw <= MAX_EXPONENT:
        return raw
    return None


def _track(settings: DeviceSettings, point: Point, exponents: Mapping[str, Exponent]) -> _Track:
    scaled_by = exponents[point.scale_point] if point.scale_point is not None else None
    return _Track(
        key=f"{settings.name}/{point.name}",
        judge=judge_point(point, scaled_by),
        deadband=point.deadband,
        silence=settings.max_silence_s if point.max_silence_s is None else point.max_silence_s,
        exponent=exponents.get(point.name),
    )
