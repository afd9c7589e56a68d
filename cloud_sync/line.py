"""The line to the cloud as uplink and downlink see it together: up or down, and since when.

Either of them notices an outage for itself; what they share is the log (one line when an outage
starts, one when it ends) and the good news: whichever gets through first wakes the other.
"""

import asyncio
import logging

from cloud_sync.errors import CloudBusyError, CloudUnreachableError, LineError
from cloud_sync.pacing import LIMIT_S, UNREACHABLE_LIMIT_S, Backoff
from cloud_sync.status import SyncStatus
from cloud_sync.stores import Clock

log = logging.getLogger(__name__)

UPLINK = "uplink"
DOWNLINK = "downlink"
MAX_RETRY_AFTER_S = 120.0
"""Longest wait that the cloud can ask for; a mistaken header must not silence a site."""


class Line:
    """Counts failures a lane, waits for the next try, and keeps the status."""

    def __init__(self, status: SyncStatus, clock: Clock) -> None:
        """Share ``status`` with whoever writes it down."""
        self.status = status
        self._clock = clock
        self._backoff = {UPLINK: Backoff(), DOWNLINK: Backoff()}
        self._good_news = asyncio.Event()
        self._since: float | None = None

    def works(self, lane: str) -> None:
        """Note that something went through; after a failure, wake the other lane too."""
        if self._backoff[lane].failures:
            self.reached()
        self._backoff[lane].reset()
        if lane == UPLINK:
            self._up()

    def reached(self) -> None:
        """Note that the cloud answers again: no use in waiting any longer."""
        self._good_news.set()

    async def failed(self, lane: str, error: LineError) -> None:
        """Note a failure and wait as long as this one asks for.

        A first failure is retried at once and not spoken of: it is mostly a kept connection that
        the other side had closed.
        """
        backoff = self._backoff[lane]
        unreachable = isinstance(error, CloudUnreachableError)
        wait_s = backoff.next_s(UNREACHABLE_LIMIT_S if unreachable else LIMIT_S)
        if lane == UPLINK:
            self._down(error, spoken=backoff.failures > 1)
        if isinstance(error, CloudBusyError) and error.retry_after_s:
            asked_s = min(error.retry_after_s, MAX_RETRY_AFTER_S)
            await self._clock.sleep(asked_s + wait_s)
            return
        await self._pause(wait_s)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until the other lane got through."""
        self._good_news.clear()
        waits = {
            asyncio.ensure_future(self._good_news.wait()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _up(self) -> None:
        if self._since is not None:
            silent_s = self._clock.monotonic() - self._since
            if self.status.state == "offline":
                log.info("line to the cloud is back", extra={"silent_s": round(silent_s, 1)})
        self._since = None
        self.status.state = "connected"
        self.status.connected = True
        self.status.offline_since_us = None
        self.status.hint = ""

    def _down(self, error: LineError, *, spoken: bool) -> None:
        self.status.errors += 1
        self.status.last_error = str(error)
        self.status.hint = error.hint
        if self._since is None:
            self._since = self._clock.monotonic()
        if not spoken:
            return
        if self.status.state != "offline":
            log.warning(
                "line to the cloud is down", extra={"error": str(error), "hint": error.hint}
            )
            self.status.offline_since_us = self._clock.wall_us()
        self.status.state = "offline"
        self.status.connected = False
