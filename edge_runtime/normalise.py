"""Raw readings to engineering values, and which of them are worth sending. Pure: no I/O, no clock.

Report by exception: a reading is sent when it is the first one, when quality or reason changed, when
a value moved by more than the point's deadband, and at the latest after the point's maximum silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge_runtime.driver import DeviceSettings
from edge_runtime.judging import (
    BAD,
    GOOD,
    MAX_EXPONENT,
    Exponent,
    Judge,
    Judged,
    judge_point,
    judge_reading,
)
from edge_runtime.model import Point, Reading, Value


def worth_sending(
    sent: Judged | None, judged: Judged, quiet_s: float, deadband: float, silence: float
) -> bool:
    """Decide report by exception for one reading; ``sent`` is what was sent ``quiet_s`` ago."""
    if sent is None or quiet_s >= silence:
        return True
    if judged == sent:
        return False
    value, quality, reason = judged
    before, quality_before, reason_before = sent
    if quality is not quality_before or reason != reason_before or deadband == 0:
        return True
    if isinstance(value, str) or isinstance(before, str) or value is None or before is None:
        return True
    return abs(value - before) > deadband


@dataclass(slots=True)
class _Track:
    """One point: how to judge it, and what was last sent."""

    key: str
    judge: Judge
    deadband: float
    silence: float
    exponent: Exponent | None
    """Filled from this point's raw value when other points scale by it."""
    sent: Judged | None = None
    """What was sent last, and when: seconds on the monotonic clock."""
    sent_at: float = 0.0
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
            value = reading.value
            if value is not None and reading.quality is GOOD:
                judged = track.judge(value)
            else:
                judged = judge_reading(track.judge, reading)
            track.last = judged
            out = Reading(track.key, *judged, reading.source_us, received_us)
            readings.append(out)
            quiet_s = now - track.sent_at
            if worth_sending(track.sent, judged, quiet_s, track.deadband, track.silence):
                track.sent, track.sent_at = judged, now
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
        for track, said in judged:
            out = Reading(track.key, *said, None, received_us)
            readings.append(out)
            quiet_s = now - track.sent_at
            if worth_sending(track.sent, said, quiet_s, track.deadband, track.silence):
                track.sent, track.sent_at = said, now
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
