"""A clock that moves when it is told to, so that a month is a test of seconds."""

import asyncio
import heapq
from itertools import count

from cloud_sync.wire.batch import ClockQuality

SETTLE_TURNS = 20
"""Turns of the event loop after each step, for what the step set going."""


class ManualClock:
    """Implements :class:`edge_runtime.clock.Clock`."""

    def __init__(self, wall_us: int = 1_764_000_000_000_000) -> None:
        self._wall_us = wall_us
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self.trust = ClockQuality.SYNCHRONISED

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._wall_us + round(self._now * 1_000_000)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), done))
        await done

    def quality(self) -> ClockQuality:
        """Tell what the test set."""
        return self.trust

    def jump(self, seconds: float) -> None:
        """Set the wall clock; the monotonic one does not notice."""
        self._wall_us += round(seconds * 1_000_000)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking every sleeper at its own moment."""
        end = self._now + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, done = heapq.heappop(self._sleepers)
            if not done.done():
                done.set_result(None)
            await self._settle()
        self._now = end
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)
