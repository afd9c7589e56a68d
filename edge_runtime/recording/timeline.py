"""What a recorded device said when. Pure: times in seconds since the recording's start."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_runtime.recording.records import Answered, Failed, Heard, Opened, Record, Shown, Taken

US = 1_000_000


@dataclass(slots=True)
class Track:
    """One point."""

    times: list[float] = field(default_factory=list)
    values: list[Taken] = field(default_factory=list)

    def at(self, t: float) -> Taken | None:
        """Give the newest value, or the first one where it is still to come."""
        if not self.values:
            return None
        return self.values[max(0, bisect_right(self.times, t) - 1)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the device was from one moment on."""

    took_s: float
    failure: Failed | None


@dataclass(slots=True)
class Timeline:
    """One device."""

    tracks: dict[str, Track] = field(default_factory=dict)
    _times: list[float] = field(default_factory=list)
    _outcomes: list[Outcome] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    _heard_times: list[float] = field(default_factory=list)
    _failures: list[Failed] = field(default_factory=list)
    subscribable: bool = False
    shown: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Take the next record of this device."""
        t = record.t_us / US
        match record:
            case Answered():
                self._note(t, Outcome(record.took_us / US, None))
                self._track(t, record.readings)
            case Heard():
                self._note(t, Outcome(0.0, None))
                self._track(t, record.readings)
                self.heard.append(record)
                self._heard_times.append(t)
            case Failed():
                self._note(t, Outcome(record.took_us / US, record))
                self._failures.append(record)
            case Opened():
                self.subscribable = self.subscribable or record.subscribable
            case Shown():
                self.shown.update({point: (text, data) for point, text, data in record.points})
            case _:
                pass

    def _note(self, t: float, outcome: Outcome) -> None:
        self._times.append(t)
        self._outcomes.append(outcome)

    def _track(self, t: float, readings: Sequence[Taken]) -> None:
        for taken in readings:
            track = self.tracks.setdefault(taken.point, Track())
            track.times.append(t)
            track.values.append(taken)

    def outcome(self, t: float) -> Outcome | None:
        """Tell how it was; None where it never said anything."""
        if not self._outcomes:
            return None
        return self._outcomes[max(0, bisect_right(self._times, t) - 1)]

    def next_failure(self, t: float) -> Failed | None:
        """Tell how it is lost next."""
        place = bisect_right(self._failures, t, key=lambda failure: failure.t_us / US)
        return self._failures[place] if place < len(self._failures) else None

    def heard_after(self, t: float) -> int:
        """Give the place of the next report in :attr:`heard`."""
        return bisect_right(self._heard_times, t)

    def polled_at(self, t: float) -> tuple[str, ...]:
        """Tell which points it did not report by itself."""
        for record in reversed(self.heard[: self.heard_after(t)]):
            if record.polled is not None:
                return record.polled
        return next((record.polled for record in self.heard if record.polled is not None), ())


def timelines(devices: Iterable[str], records: Iterable[Record]) -> Mapping[str, Timeline]:
    """Sort records by device."""
    found = {name: Timeline() for name in devices}
    for record in records:
        timeline = found.get(getattr(record, "device", ""))
        if timeline is not None:
            timeline.add(record)
    return found
