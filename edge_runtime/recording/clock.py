"""A clock for replays: as fast as is asked for, and never faster than the work gets done.

Time goes from one sleeper to the next. Each is woken at its own moment, so that nothing is left out
at a thousand times the speed: where the machine cannot keep up, time goes slower.
"""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from cloud_sync.wire.batch import ClockQuality

TURNS = 2
"""Turns of the event loop between two moments, for what a sleeper does when it wakes."""
HOLD_S = 0.002
"""How often to look again while there is too much to do."""


def _never() -> bool:
    return False


class ScaledClock:
    """Implements :class:`edge_runtime.clock.Clock`."""

    def __init__(self, speed: float, wall_us: int, *, busy: Callable[[], bool] = _never) -> None:
        """``speed`` is the most; ``busy`` tells when time must wait for work outside of the loop."""
        self._speed = speed
        self._wall_us = wall_us
        self._busy = busy
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._real_start: float | None = None
        self._ticking = False
        self._turn = 0

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC, in the replay's time."""
        return self._wall_us + round(self._now * 1_000_000)

    def monotonic(self) -> float:
        """Seconds since the clock was made, in the replay's time."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait in the replay's time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        if self._real_start is None:
            self._real_start = loop.time()
        done = loop.create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), done))
        if not self._ticking:
            self._ticking = True
            loop.call_soon(self._tick)
        await done

    def quality(self) -> ClockQuality:
        """Tell that nobody knows: it is made."""
        return ClockQuality.UNKNOWN

    def _tick(self) -> None:
        """Wake the next sleeper when its time has come."""
        loop = asyncio.get_running_loop()
        self._turn += 1
        while self._sleepers and self._sleepers[0][2].done():  # cancelled
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            self._ticking = False
            return
        assert self._real_start is not None
        due = self._sleepers[0][0]
        wait_s = self._real_start + due / self._speed - loop.time()
        if wait_s > 0:
            loop.call_later(min(wait_s, 0.05), self._tick)
        elif self._busy():
            loop.call_later(HOLD_S, self._tick)
        elif self._turn % TURNS:
            loop.call_soon(self._tick)
        else:
            self._wake(due)
            loop.call_soon(self._tick)

    def _wake(self, due: float) -> None:
        self._now = due
        while self._sleepers and self._sleepers[0][0] <= due:
            done = heapq.heappop(self._sleepers)[2]
            if not done.done():
                done.set_result(None)
