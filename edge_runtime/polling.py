"""One supervisor a device: hear it or read it on time, say once that it is silent.

A device that reports by itself is listened to, and only what it does not report is polled; any
other is polled. A point without news for longer than was promised turns bad (``stale``).

A device is silent after two failures in a row (the second try follows the first within a second),
when its very first try fails, or when all its points are stale. Then all its points turn bad once,
an event tells it and the log gets one line; the same when it is back. Whatever a driver does stays
with its device: an exception that the contract does not know is logged with its traceback and counts
as a failure.
"""

import asyncio
import logging
import random
from collections.abc import Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing

from edge_runtime.bus import Bus
from edge_runtime.clock import Clock
from edge_runtime.device_status import DeviceStatus, Tally
from edge_runtime.driver import Device, News, Subscribable
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError
from edge_runtime.freshness import Freshness
from edge_runtime.model import Access, Reading, Reason
from edge_runtime.normalise import Normalised, Normaliser
from edge_runtime.outages import Outages
from edge_runtime.schedule import (
    LISTENING_CAP_S,
    RETRY_CAP_S,
    Turn,
    groups_of,
    next_due,
    phase,
    retry_delay,
    take_turn,
)
from edge_runtime.settings import ConfiguredDevice
from edge_runtime.silence import Silence

SILENT_AFTER = 2
"""Failures in a row that make a device silent."""
MAX_READ_S = 300.0
MAX_NAMED = 5
"""Points that a line of the log names."""
DRIVER_FAILED = f"{Reason.DEVICE_ERROR}:driver"

logger = logging.getLogger(__name__)


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
    """Reads one device until it is cancelled."""

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
        self.status = DeviceStatus()
        self._tally = Tally(self.status)
        self._silence = Silence(self.name, self.status, bus, clock, outages)
        self._device = device
        self._bus = bus
        self._clock = clock
        self._index = index
        self._limit_s = limit_s
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._normaliser = Normaliser(device.settings)
        self._freshness = Freshness(device.settings)
        self._all = tuple(p.name for p in device.settings.points if p.access is not Access.WRITE)
        self._open: Device | None = None
        self._turns = asyncio.Lock()
        self._failures = 0
        self._answered = False
        self._retry_cap_s = RETRY_CAP_S
        self._told_stale = False

    async def run(self) -> None:
        """Read for ever; the supervisor of one device."""
        await self._clock.sleep(phase(self._index, self._device.settings.interval_s))
        while True:
            try:
                await self._read_until_it_fails()
            except DeviceRefusedError as exc:
                self._failed(Reason.DEVICE_ERROR, str(exc))
            except (DeviceError, TimeoutError) as exc:
                self._failed(Reason.NO_ANSWER, str(exc) or f"no answer in {self._limit_s:g} s")
            except Exception as exc:
                logger.exception("device %s: the driver failed", self.name)
                self._failed(DRIVER_FAILED, f"{type(exc).__name__}: {exc}")
            await self._clock.sleep(retry_delay(self._failures, self._rng, self._retry_cap_s))

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

    # --- one session: from opening the device to its first failure --------------------------------

    async def _read_until_it_fails(self) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(self._close)
            async with asyncio.timeout(self._limit_s):
                opening = self._device.driver.open_device(self._device.settings)
                device = await stack.enter_async_context(opening)
            self._open = device
            self._freshness.begin(self._clock.monotonic())
            if isinstance(device, Subscribable):
                self._retry_cap_s = LISTENING_CAP_S
                await _first_failure(self._listen(device), self._watch())
            else:
                await _first_failure(self._poll(device, self._all), self._watch())

    def _close(self) -> None:
        self._open = None
        self.status.subscribed = 0

    async def _poll(self, device: Device, points: Collection[str]) -> None:
        groups = groups_of(self._device.settings, self._clock.monotonic(), points)
        while groups:
            turn = take_turn(groups, self._clock.monotonic())
            self._account(turn)
            await self._read(device, turn.points)
            await self._clock.sleep(next_due(groups) - self._clock.monotonic())

    async def _read(self, device: Device, points: Sequence[str]) -> None:
        async with self._turns:
            start = self._clock.monotonic()
            async with asyncio.timeout(self._limit_s):
                raw = await device.read(points)
            received_us, now = self._clock.wall_us(), self._clock.monotonic()
            self._heard([reading.point for reading in raw], now, answered=_answered(raw))
            normalised = self._normaliser.take(raw, received_us, now)
        self.status.polls += 1
        self.status.duration_s = now - start
        self._hand_on(normalised, received_us)

    async def _listen(self, device: Subscribable) -> None:
        """Take what the device reports, and poll beside it what it does not."""
        self.status.subscribed = len(self._all)
        polled: frozenset[str] = frozenset()
        polling: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as group, aclosing(device.changes(self._all)) as changes:
            async for news in changes:
                self._take(news)
                if news.polled is None or polled == frozenset(news.polled):
                    continue
                polled = frozenset(news.polled)
                self.status.subscribed = len(self._all) - len(polled)
                if polling is not None:
                    polling.cancel()
                polling = group.create_task(self._poll(device, polled))
            msg = "the device ended its reports"
            raise DeviceUnreachableError(msg)

    def _take(self, news: News) -> None:
        received_us, now = self._clock.wall_us(), self._clock.monotonic()
        if news.readings:
            points = [reading.point for reading in news.readings]
            self._heard(points, now, answered=_answered(news.readings))
            self._hand_on(self._normaliser.take(news.readings, received_us, now), received_us)
        if news.confirmed:
            self._heard(news.confirmed, now, answered=True)
            self._hand_on(self._normaliser.confirm(news.confirmed, received_us, now), received_us)

    async def _watch(self) -> None:
        """Turn points bad that were promised and do not come."""
        while True:
            await self._clock.sleep(self._freshness.check_s)
            wall, now = self._clock.wall_us(), self._clock.monotonic()
            expired = self._freshness.expire(now)
            if not expired:
                continue
            self.status.stale_points = len(self._freshness.stale)
            self._tell_stale(expired)
            self._mark(self._normaliser.fail(expired, Reason.STALE, wall, now))

    # --- what follows from it ---------------------------------------------------------------------

    def _account(self, turn: Turn) -> None:
        self.status.late_s = turn.late_s
        self.status.missed += turn.missed

    def _hand_on(self, normalised: Normalised, received_us: int) -> None:
        self._tally.count(normalised.readings, len(normalised.reported), received_us)
        self._bus.readings(normalised)

    def _mark(self, normalised: Normalised) -> None:
        self._tally.fail([reading.point for reading in normalised.readings])
        self._bus.readings(normalised)

    def _heard(self, points: Collection[str], now: float, *, answered: bool) -> None:
        """Note news of points; that none of them was answered is no sign of life."""
        if self._freshness.heard(points, now) and self._told_stale:
            self._told_stale = False
            logger.info("device %s: no point is stale any more", self.name)
        self.status.stale_points = len(self._freshness.stale)
        if answered:
            self._failures = 0
            self._answered = True
            self._silence.end()

    def _tell_stale(self, expired: Collection[str]) -> None:
        """Say once that points are missed; that all of them are, is a silent device."""
        if self._freshness.deaf:
            self._silence.begin("nothing new of any point within the promised time")
        elif not self._told_stale:
            self._told_stale = True
            shown = ", ".join(sorted(expired)[:MAX_NAMED])
            more = f" and {len(expired) - MAX_NAMED} more" if len(expired) > MAX_NAMED else ""
            logger.warning("device %s: nothing new of %s%s", self.name, shown, more)

    def _failed(self, reason: str, text: str) -> None:
        self._failures += 1
        self.status.errors += 1
        if self._answered and self._failures < SILENT_AFTER:
            return
        now, wall = self._clock.monotonic(), self._clock.wall_us()
        self._silence.begin(text)
        self._freshness.lose()
        self._mark(self._normaliser.lose(self._all, reason, wall, now))


def _answered(readings: Sequence[Reading]) -> bool:
    """Tell whether the device gave any of these, if only an error."""
    return any(reading.reason != Reason.NO_ANSWER for reading in readings)


async def _first_failure(*parts: Coroutine[None, None, None]) -> None:
    """Run parts side by side until one of them fails; raises that one's error as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as exc:
        raise _first(exc) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
