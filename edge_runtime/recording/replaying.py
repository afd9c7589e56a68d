"""Replaying: the devices of a recording, for the same runtime, on a clock that may run faster."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pydantic import ValidationError

from edge_runtime.clock import Clock
from edge_runtime.driver import Driver, Inspection, News, RequestPlan
from edge_runtime.errors import (
    DeviceError,
    DeviceRefusedError,
    DeviceUnreachableError,
    StoreDamagedError,
)
from edge_runtime.model import Quality, Reading, Reason
from edge_runtime.recording.faults import MUTE, Fault, FaultKind, FaultPlan, spoiled
from edge_runtime.recording.records import (
    Failed,
    Heard,
    RecordedDevice,
    ReplaySettings,
    Taken,
    unpack,
)
from edge_runtime.recording.tape import Recording
from edge_runtime.recording.timeline import US, Timeline, timelines
from edge_runtime.settings import ConfiguredDevice

SLACK_S = 0.25
"""How much later a recorded read may have been than the one that asks for it: clocks wobble."""
LONGEST_WAIT_S = 0.5
"""Between two looks whether a fault begins, of a device that reports by itself."""


@dataclass(slots=True)
class Playback:
    """Where a replay is."""

    clock: Clock
    recording: Recording
    loop: bool = False
    faults: FaultPlan = field(default_factory=FaultPlan)
    rng: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - makes garbage
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a device is first opened: until then the runtime is still starting."""
    _start: float = 0.0
    _shift_us: int = 0

    def __post_init__(self) -> None:
        """Begin now."""
        self._start = self.clock.monotonic()
        self._shift_us = self.clock.wall_us() - self.recording.header.started_us

    @property
    def length_s(self) -> float:
        """Of one pass."""
        return max(0.001, self.recording.length_us / US)

    def place(self) -> tuple[int, float]:
        """Give the pass, counted from 0, and how far it is in it."""
        elapsed = self.clock.monotonic() - self._start
        if not self.loop:
            return 0, elapsed
        number = int(elapsed / self.length_s)
        return number, elapsed - number * self.length_s

    def shift_us(self, number: int) -> int:
        """Give what the device's own times are moved by in a pass."""
        return self._shift_us + round(number * self.length_s * US)


class ReplayDevice:
    """A device off a tape."""

    def __init__(self, settings: ReplaySettings, timeline: Timeline, playback: Playback) -> None:
        self._settings = settings
        self._timeline = timeline
        self._playback = playback
        self._faults = playback.faults.of(settings.name)
        self._slack = min(SLACK_S, settings.interval_s / 4)

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Give what the device gave at this moment, after as long as it took.

        Raises:
            DeviceUnreachableError: it did not answer, or a fault keeps it from it.
            DeviceRefusedError: it refused.

        """
        number, t = self._playback.place()
        active = self._active(t)
        await self._check(active)
        outcome = self._timeline.outcome(t + self._slack)
        delay = max((f.delay_s for f in active if f.kind is FaultKind.SLOW), default=0.0)
        await self._wait(delay + (outcome.took_s if outcome is not None else 0.0))
        if outcome is None:
            msg = f"{self._settings.name} said nothing in the recording"
            raise DeviceUnreachableError(msg)
        if outcome.failure is not None:
            raise _error(outcome.failure)
        return [self._reading(name, number, t, active) for name in points]

    def _active(self, t: float) -> tuple[Fault, ...]:
        return tuple(fault for fault in self._faults if fault.active(t))

    async def _check(self, active: Sequence[Fault]) -> None:
        """Fail as the faults say.

        Raises:
            DeviceError: it is silent or refuses.

        """
        for fault in active:
            if fault.kind in MUTE:
                await self._wait(self._settings.timeout_s)
                msg = f"{self._settings.name} does not answer (injected)"
                raise DeviceUnreachableError(msg)
            if fault.kind is FaultKind.ERROR and not fault.points:
                msg = f"{self._settings.name} refuses (injected)"
                raise DeviceRefusedError(msg)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._playback.clock.sleep(seconds)

    def _reading(self, name: str, number: int, t: float, active: Sequence[Fault]) -> Reading:
        frozen = [f.from_s for f in active if f.kind is FaultKind.STALE and f.hits(name)]
        at = min(frozen) if frozen else t + self._slack
        track = self._timeline.tracks.get(name)
        taken = track.at(at) if track is not None else None
        if taken is None:
            return Reading(name, None, Quality.BAD, Reason.NO_ANSWER)
        return self._unpacked(taken, number, active)

    def _unpacked(self, taken: Taken, number: int, active: Sequence[Fault]) -> Reading:
        reading = unpack(taken, self._playback.shift_us(number))
        return spoiled(active, reading, self._playback.rng) if active else reading

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Show what lay beneath the readings when a session began.

        Raises:
            DeviceError: as for :meth:`read`.

        """
        shown = self._timeline.shown
        return [
            Inspection(reading, *shown.get(reading.point, ("", b"")))
            for reading in await self.read(points)
        ]


class ReplaySubscribable(ReplayDevice):
    """A device that reported by itself."""

    async def changes(self, points: Collection[str]) -> AsyncGenerator[News]:
        """Report what the device reported, when it did.

        Raises:
            DeviceError: it was lost at this moment, or a fault keeps it from reporting.

        """
        number, t = self._playback.place()
        reported = [p for p in points if p not in self._timeline.polled_at(t)]
        known = [p for p in reported if self._known(p, t)]
        readings = await self.read(known)
        yield News(readings, polled=self._timeline.polled_at(t))
        while True:
            begun = (number, t)
            number, t = await self._until_something(*begun)
            for news in self._news(begun, (number, t)):
                yield news

    def _known(self, point: str, t: float) -> bool:
        track = self._timeline.tracks.get(point)
        return track is not None and bool(track.times) and track.times[0] <= t + self._slack

    async def _until_something(self, number: int, t: float) -> tuple[int, float]:
        """Wait for the next report, loss, fault or pass.

        Raises:
            DeviceError: it is lost.

        """
        following = self._timeline.heard_after(t)
        heard = self._timeline.heard
        until = heard[following].t_us / US if following < len(heard) else self._playback.length_s
        await self._playback.clock.sleep(min(max(until - t, 0.0005), LONGEST_WAIT_S))
        new_number, now = self._playback.place()
        await self._check(self._active(now))
        lost = self._timeline.next_failure(t)
        if lost is not None and (lost.t_us / US <= now or new_number > number):
            raise _error(lost)
        return new_number, now

    def _news(self, begun: tuple[int, float], now: tuple[int, float]) -> list[News]:
        """Give what was reported after one moment, up to another."""
        heard, first = self._timeline.heard, self._timeline.heard_after(begun[1])
        last = self._timeline.heard_after(now[1])
        if now[0] == begun[0]:
            return [self._as_news(now[0], record) for record in heard[first:last]]
        rest = [self._as_news(begun[0], record) for record in heard[first:]]
        return rest + [self._as_news(now[0], record) for record in heard[:last]]

    def _as_news(self, number: int, record: Heard) -> News:
        active = self._active(record.t_us / US)
        stale = [fault for fault in active if fault.kind is FaultKind.STALE]

        def speaks(point: str) -> bool:
            return not any(fault.hits(point) for fault in stale)

        readings = [
            self._unpacked(taken, number, active)
            for taken in record.readings
            if speaks(taken.point)
        ]
        return News(readings, [p for p in record.confirmed if speaks(p)], record.polled)


def _error(failure: Failed) -> DeviceError:
    kind = DeviceRefusedError if failure.refused else DeviceUnreachableError
    return kind(failure.message, hint=failure.hint)


def replayed(playback: Playback) -> tuple[ConfiguredDevice, ...]:
    """Give the recorded devices, ready for a runtime.

    Raises:
        StoreDamagedError: the recording describes a device that cannot be.

    """
    recorded = playback.recording.header.devices
    settings = [_settings(device) for device in recorded]
    lines = timelines([s.name for s in settings], playback.recording.records)
    return tuple(
        ConfiguredDevice(_driver(device, lines[own.name], playback), own)
        for device, own in zip(recorded, settings, strict=True)
    )


def _settings(device: RecordedDevice) -> ReplaySettings:
    try:
        return ReplaySettings.model_validate(device.settings)
    except ValidationError as exc:
        msg = f"the recording describes a device that cannot be: {exc.errors()[0]['msg']}"
        raise StoreDamagedError(msg, hint="Record again.") from exc


def _driver(device: RecordedDevice, timeline: Timeline, playback: Playback) -> Driver:
    kind = ReplaySubscribable if timeline.subscribable else ReplayDevice

    @asynccontextmanager
    async def open_device(settings: ReplaySettings) -> AsyncIterator[ReplayDevice]:
        playback.begun.set()
        yield kind(settings, timeline, playback)

    def plan(settings: ReplaySettings, points: Collection[str]) -> Sequence[RequestPlan]:
        names = tuple(point.name for point in settings.points if point.name in points)
        return [RequestPlan("off the tape", names, 0, 0, 0.001)]

    def address(settings: ReplaySettings) -> str:
        _ = settings
        return f"{device.address} (recorded)"

    def connection(settings: ReplaySettings) -> str:
        return f"recording {settings.name}"

    return Driver(device.protocol, ReplaySettings, open_device, plan, address, connection)
