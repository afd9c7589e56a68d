"""What one device has posted and the runtime has not taken yet."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Sequence

from components.http import limits
from components.http.polled import one_each
from edge_runtime.driver import News
from edge_runtime.model import Reading


class FullError(Exception):
    """The runtime is too far behind; the device shall post again."""


class Inbox:
    """Readings on their way from the endpoint to the runtime."""

    def __init__(self) -> None:
        self.newest: dict[str, Reading] = {}
        self.heard_at = 0.0
        """When the device last posted, on the event loop's clock; 0 for never."""
        self._waiting: deque[Reading] | None = None
        self._arrived = asyncio.Event()
        self._news = asyncio.Event()

    def put(self, readings: Sequence[Reading]) -> None:
        """Take the readings of one message.

        Raises:
            FullError: too many wait already; nothing was taken.

        """
        if self._waiting is not None:
            if len(self._waiting) + len(readings) > limits.MAX_WAITING:
                raise FullError
            self._waiting.extend(readings)
        self.newest.update({reading.point: reading for reading in one_each(readings)})
        self.heard_at = asyncio.get_running_loop().time()
        self._news.set()
        self._arrived.set()

    async def wait(self, points: Collection[str], timeout_s: float) -> None:
        """Wait until each of these points was heard once, or the time is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while any(point not in self.newest for point in points) and loop.time() < deadline:
            if not await self.wait_for_post(deadline - loop.time()):
                return

    async def wait_for_post(self, timeout_s: float) -> bool:
        """Wait for the next message; False when none came in time."""
        self._arrived.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def changes(self, points: Collection[str]) -> AsyncGenerator[News]:
        """Give everything from now on, beginning with what is known; nothing is left out."""
        self._waiting = deque(self.newest[name] for name in points if name in self.newest)
        try:
            yield News(self._take(points), polled=())
            while True:
                await self._news.wait()
                if readings := self._take(points):
                    yield News(readings)
        finally:
            self._waiting = None

    def _take(self, points: Collection[str]) -> list[Reading]:
        assert self._waiting is not None
        readings = [reading for reading in self._waiting if reading.point in points]
        self._waiting.clear()
        self._news.clear()
        return readings
