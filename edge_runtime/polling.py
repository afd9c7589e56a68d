"""One task a device: read on time, leave a silent device alone, say once that it is silent.

A device is silent after two failures in a row (the second try follows the first within a second),
or when its very first try fails. Then all its points turn bad once, an event tells it and the log
gets one line; the same when it is back. Whatever a driver does stays with its device: an exception
that the contract does not know is logged with its traceback and counts as a failure.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

from cloud_sync.wire.events import DeviceBack, DeviceSilent, EventKind
from edge_runtime.bus import Bus
from edge_runtime.clock import Clock
from edge_runtime.driver import Device
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError
from edge_runtime.happenings import make_event
from edge_runtime.model import Quality, Reading, Reason
from edge_runtime.normalise import Normaliser
from edge_runtime.outages import Outages
from edge_runtime.schedule import Turn, groups_of, next_due, phase, retry_delay, take_turn
from edge_runtime.settings import ConfiguredDevice

SILENT_AFTER = 2
"""Failures in a row that make a device silent."""
MAX_READ_S = 300.0
DRIVER_FAILED = f"{Reason.DEVICE_ERROR}:driver"

logger = logging.getLogger(__name__)


class DeviceStatus(msgspec.Struct):
    """What became of a device's polling so far."""

    polls: int = 0
    readings: int = 0
    reported: int = 0
    errors: int = 0
    missed: int = 0
    """Deadlines that passed while the device was still busy with an earlier one."""
    late_s: float = 0.0
    """How late the last read began."""
    duration_s: float = 0.0
    """How long the last read took."""
    newest_good_us: int | None = None
    silent_since_us: int | None = None
    silent_reason: str = ""
    bad_points: int = 0
    """Points of bad quality in the last read."""


def read_limits_s(devices: Sequence[ConfiguredDevice]) -> tuple[float, ...]:
    """Give the longest time that a read of each device may take.

    A read may wait for every request of every device on its line, and each of them for a time-out.
    """
    waits: dict[str, float] = {}
    for device in devices:
        settings = device.settings
        requests = len(device.driver.plan(settings, [point.name for point in settings.points]))
        line = device.driver.connection(settings)
        waits[line] = waits.get(line, 0.0) + settings.timeout_s * requests
    return tuple(
        min(MAX_READ_S, waits[d.driver.connection(d.settings)] + 2 * d.settings.timeout_s)
        for d in devices
    )


class DevicePoller:
    """Polls one device until it is cancelled."""

    def __init__(
        self,
        device: ConfiguredDevice,
        bus: Bus,
        clock: Clock,
        *,
        index: int = 0,
        limit_s: float = MAX_READ_S,
        outages: Outages | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.name = device.settings.name
        self.status = DeviceStatus(
            silent_since_us=outages.since_us(device.settings.name) if outages else None
        )
        self._outages = outages
        self._device = device
        self._bus = bus
        self._clock = clock
        self._index = index
        self._limit_s = limit_s
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._normaliser = Normaliser(device.settings)
        self._all = tuple(point.name for point in device.settings.points)
        self._open: Device | None = None
        self._turns = asyncio.Lock()
        self._failures = 0
        self._answered = False
        self._silent_at: float | None = None

    async def run(self) -> None:
        """Poll for ever; the supervisor of one device."""
        await self._clock.sleep(phase(self._index, self._device.settings.interval_s))
        while True:
            try:
                await self._poll_until_it_fails()
            except DeviceRefusedError as exc:
                self._failed(Reason.DEVICE_ERROR, str(exc))
            except (DeviceError, TimeoutError) as exc:
                self._failed(Reason.NO_ANSWER, str(exc) or f"no answer in {self._limit_s:g} s")
            except Exception as exc:
                logger.exception("device %s: the driver failed", self.name)
                self._failed(DRIVER_FAILED, f"{type(exc).__name__}: {exc}")
            await self._clock.sleep(retry_delay(self._failures, self._rng))

    async def refresh(self) -> None:
        """Read every point now and send it whatever its deadband.

        Raises:
            DeviceError: the device is silent or falls silent now.

        """
        self._normaliser.forget()
        if self._open is None:
            raise DeviceUnreachableError(self.status.silent_reason or "not connected yet")
        try:
            await self._read(self._open, self._all)
        except DeviceError:
            raise
        except TimeoutError as exc:
            raise DeviceUnreachableError from exc
        except Exception as exc:
            logger.exception("device %s: the driver failed", self.name)
            msg = f"{type(exc).__name__}: {exc}"
            raise DeviceError(msg) from exc

    async def _poll_until_it_fails(self) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(self._close)
            async with asyncio.timeout(self._limit_s):
                opening = self._device.driver.open_device(self._device.settings)
                device = await stack.enter_async_context(opening)
            self._open = device
            groups = groups_of(self._device.settings, self._clock.monotonic())
            while True:
                turn = take_turn(groups, self._clock.monotonic())
                self._account(turn)
                await self._read(device, turn.points)
                self._succeeded()
                await self._clock.sleep(next_due(groups) - self._clock.monotonic())

    async def _read(self, device: Device, points: Sequence[str]) -> None:
        async with self._turns:
            start = self._clock.monotonic()
            async with asyncio.timeout(self._limit_s):
                raw = await device.read(points)
            received_us, now = self._clock.wall_us(), self._clock.monotonic()
            normalised = self._normaliser.take(raw, received_us, now)
        self.status.polls += 1
        self.status.duration_s = now - start
        self._count(normalised.readings, len(normalised.reported), received_us)
        self._bus.readings(normalised)

    def _close(self) -> None:
        self._open = None

    def _account(self, turn: Turn) -> None:
        self.status.late_s = turn.late_s
        self.status.missed += turn.missed

    def _count(self, readings: Sequence[Reading], reported: int, received_us: int) -> None:
        status = self.status
        status.readings += len(readings)
        status.reported += reported
        bad = sum(1 for reading in readings if reading.quality is Quality.BAD)
        status.bad_points = bad
        if bad < len(readings):
            status.newest_good_us = received_us

    def _failed(self, reason: str, text: str) -> None:
        self._failures += 1
        self.status.errors += 1
        if self._answered and self._failures < SILENT_AFTER:
            return
        now, wall = self._clock.monotonic(), self._clock.wall_us()
        self.status.silent_reason = text
        self.status.bad_points = len(self._all)
        if self.status.silent_since_us is None:
            self._silent_at, self.status.silent_since_us = now, wall
            logger.warning("device %s is silent: %s", self.name, text)
            body = DeviceSilent(self.name, text)
            self._bus.event(make_event(EventKind.DEVICE_SILENT, body, wall))
            if self._outages is not None:
                self._outages.begin(self.name, wall)
        self._bus.readings(self._normaliser.fail(self._all, reason, wall, now))

    def _succeeded(self) -> None:
        self._failures = 0
        self._answered = True
        since_us = self.status.silent_since_us
        if since_us is None:
            return
        now, wall = self._clock.monotonic(), self._clock.wall_us()
        if self._silent_at is None:  # it fell silent before a restart
            silent_s = max(0.0, (wall - since_us) / 1_000_000)
        else:
            silent_s = now - self._silent_at
        self._silent_at, self.status.silent_since_us, self.status.silent_reason = None, None, ""
        logger.info("device %s is back after %.1f s", self.name, silent_s)
        body = DeviceBack(self.name, round(silent_s, 3))
        self._bus.event(make_event(EventKind.DEVICE_BACK, body, wall))
        if self._outages is not None:
            self._outages.end(self.name)
