"""What a device reported and nobody took yet: bounded, the oldest of a point gives way."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable

from components.coap import limits
from edge_runtime.driver import News
from edge_runtime.model import Reading


class Inbox:
    """Between those who hear a device and the one who asks for news."""

    def __init__(self) -> None:
        self._readings: dict[str, deque[Reading]] = {}
        self._polled: frozenset[str] | None = None
        self._all_polled: frozenset[str] = frozenset()
        self._failure: BaseException | None = None
        self._arrived = asyncio.Event()

    def put(self, readings: Iterable[Reading]) -> None:
        """Keep readings."""
        for reading in readings:
            kept = self._readings.setdefault(reading.point, deque(maxlen=limits.MAX_WAITING))
            kept.append(reading)
        self._arrived.set()

    def poll(self, points: Collection[str]) -> None:
        """Tell that these points are not reported."""
        self._all_polled |= set(points)
        self._polled = self._all_polled
        self._arrived.set()

    def ended(self, task: asyncio.Task[None]) -> None:
        """Note that somebody stopped to hear the device; if by an error, the device is lost."""
        if not task.cancelled() and task.exception() is not None:
            self._failure = self._failure or task.exception()
            self._arrived.set()

    async def news(self) -> News:
        """Wait for news and take them.

        Raises:
            DeviceError: the device is lost, and nothing is left to be told.

        """
        await self._arrived.wait()
        self._arrived.clear()
        readings = [reading for kept in self._readings.values() for reading in kept]
        if self._failure is not None:
            self._arrived.set()
            if not readings:
                raise self._failure
        self._readings.clear()
        polled, self._polled = self._polled, None
        return News(readings, polled=polled)
