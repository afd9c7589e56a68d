"""Recording: the devices' own drivers, with everything they say written down.

The wrapped devices are read by the runtime's own pollers, with their intervals, back-off and
sessions, and by nothing else: nothing is written to a device, no rule runs, no outbox is filled.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_runtime.bus import Bus
from edge_runtime.clock import Clock
from edge_runtime.driver import Device, Driver, Inspectable, News, Subscribable
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError, StoreError
from edge_runtime.host.acquisition import make_pollers
from edge_runtime.model import Reading
from edge_runtime.outages import Outages
from edge_runtime.recording.records import (
    VERSION,
    Answered,
    Failed,
    Header,
    Heard,
    Opened,
    Shown,
    describe,
    pack,
)
from edge_runtime.recording.tape import Tape
from edge_runtime.settings import ConfiguredDevice, GatewaySettings

FLUSH_S = 1.0
MAX_SHOWN_BYTES = 64
"""Of one point."""
MAX_TEXT = 500
GAVE_UP = "no answer for so long that the runtime gave up"


class Sink:
    """Where devices write down what they say, with the time since the start."""

    def __init__(self, tape: Tape, clock: Clock) -> None:
        self.tape = tape
        self._clock = clock
        self._start = clock.monotonic()
        self.ending = False
        """Whether devices are left now: what is cancelled then says nothing of them."""

    def now_us(self) -> int:
        """Microseconds since the start."""
        return round((self._clock.monotonic() - self._start) * 1_000_000)

    def failed(self, device: str, t_us: int, exc: Exception) -> None:
        """Write down that a session ended."""
        refused = isinstance(exc, DeviceRefusedError)
        text = (str(exc) or type(exc).__name__)[:MAX_TEXT]
        hint = getattr(exc, "hint", "")[:MAX_TEXT]
        self.tape.add(Failed(t_us, device, self.now_us() - t_us, refused, text, hint))


class TapedDevice:
    """A device, with what it says written down."""

    def __init__(self, name: str, device: Device, sink: Sink) -> None:
        self._name = name
        self._device = device
        self._sink = sink
        self._showed = False

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Read, as the device does.

        Raises:
            DeviceError: as the device does.

        """
        t_us = self._sink.now_us()
        try:
            readings = await self._device.read(points)
        except asyncio.CancelledError:
            if not self._sink.ending:
                self._sink.failed(self._name, t_us, DeviceUnreachableError(GAVE_UP))
            raise
        except Exception as exc:
            self._sink.failed(self._name, t_us, exc)
            raise
        took_us = self._sink.now_us() - t_us
        self._sink.tape.add(Answered(t_us, self._name, took_us, pack(readings)))
        await self._show(points)
        return readings

    async def _show(self, points: Collection[str]) -> None:
        """Write down once what lies beneath; that it cannot be had is no failure."""
        if self._showed or not isinstance(self._device, Inspectable):
            return
        self._showed = True
        t_us = self._sink.now_us()
        with suppress(DeviceError):
            seen = [(i.reading.point, i.shown, i.data) for i in await self._device.inspect(points)]
            shown = tuple((p, text[:MAX_TEXT], data[:MAX_SHOWN_BYTES]) for p, text, data in seen)
            self._sink.tape.add(Shown(t_us, self._name, shown))


class TapedSubscribable(TapedDevice):
    """A device that reports by itself."""

    def __init__(self, name: str, device: Subscribable, sink: Sink) -> None:
        super().__init__(name, device, sink)
        self._reporting = device

    async def changes(self, points: Collection[str]) -> AsyncGenerator[News]:
        """Report, as the device does.

        Raises:
            DeviceError: as the device does.

        """
        try:
            async with aclosing(self._reporting.changes(points)) as changes:
                async for news in changes:
                    self._note(news)
                    yield news
        except Exception as exc:
            self._sink.failed(self._name, self._sink.now_us(), exc)
            raise

    def _note(self, news: News) -> None:
        polled = None if news.polled is None else tuple(news.polled)
        t_us = self._sink.now_us()
        self._sink.tape.add(
            Heard(t_us, self._name, pack(news.readings), tuple(news.confirmed), polled)
        )


def taped(device: ConfiguredDevice, sink: Sink) -> ConfiguredDevice:
    """Wrap a device so that what it says is written down."""

    @asynccontextmanager
    async def open_device(settings: Any) -> AsyncIterator[TapedDevice]:
        name, t_us = device.settings.name, sink.now_us()
        async with AsyncExitStack() as stack:
            try:
                opened = await stack.enter_async_context(device.driver.open_device(settings))
            except Exception as exc:
                sink.failed(name, t_us, exc)
                raise
            wrapped = _wrapped(name, opened, sink)
            sink.tape.add(Opened(t_us, name, isinstance(wrapped, TapedSubscribable)))
            yield wrapped

    driver: Driver = replace(device.driver, open_device=open_device)
    return ConfiguredDevice(driver, device.settings)


def _wrapped(name: str, opened: Device, sink: Sink) -> TapedDevice:
    if isinstance(opened, Subscribable):
        return TapedSubscribable(name, opened, sink)
    return TapedDevice(name, opened, sink)


class _NoStore:
    """Outages of a recording are forgotten with it."""

    def load_states(self) -> Mapping[str, bytes]:
        """Know none."""
        return {}

    def save_state(self, name: str, content: bytes) -> None:
        """Keep none."""

    def drop_state(self, name: str) -> None:
        """Have none to drop."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a recording."""

    devices: int
    records: int
    bytes: int
    seconds: float
    full: bool
    """It ended because it reached its limit."""


async def record_site(
    settings: GatewaySettings,
    path: Path,
    clock: Clock,
    *,
    software: str,
    max_bytes: int,
    seconds: float | None = None,
    told: Callable[[Recorded], None] = lambda _: None,
) -> Recorded:
    """Read all devices and write down what they say until the time is over, or it is cancelled.

    Raises:
        StoreError: the file is there already, or cannot be written.

    """
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as exc:
        msg = f"{path} cannot be created: {exc.strerror}"
        raise StoreError(msg, hint="A recording is never written over: give another name.") from exc
    devices = settings.devices
    header = Header(
        VERSION, settings.name, clock.wall_us(), software, tuple(map(describe, devices))
    )
    with file:
        sink = Sink(Tape(file, header, max_bytes), clock)
        pollers = make_pollers(
            [taped(device, sink) for device in devices], Bus(), clock, Outages(_NoStore())
        )
        tasks = [asyncio.create_task(poller.run()) for poller in pollers]
        try:
            await _keep_flushing(sink, clock, seconds, lambda: told(_so_far(sink, len(devices))))
        finally:
            sink.ending = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            sink.tape.end(sink.now_us())
            recorded = _so_far(sink, len(devices))
            told(recorded)
    return recorded


async def _keep_flushing(
    sink: Sink, clock: Clock, seconds: float | None, tell: Callable[[], None]
) -> None:
    while not sink.tape.full:
        left = FLUSH_S if seconds is None else seconds - sink.now_us() / 1_000_000
        if left <= 0:
            return
        await clock.sleep(min(FLUSH_S, left))
        sink.tape.flush()
        tell()


def _so_far(sink: Sink, devices: int) -> Recorded:
    tape = sink.tape
    return Recorded(devices, tape.count, tape.size, sink.now_us() / 1_000_000, tape.full)
