"""What a server reported and the runtime has not taken yet: bounded, the oldest gives way."""

import asyncio
from collections import deque

from components.opcua.limits import KEPT_VALUES
from components.opcua.settings import Point
from edge_runtime.model import Reading


class Mailbox:
    """Readings by point, and whether the subscription showed that it lives."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[Reading]] = {}
        self._news = asyncio.Event()
        self.dropped = 0
        """Readings that gave way to newer ones of their point."""
        self.ended = ""
        """Why the server ended the subscription; empty while it lives."""

    def put(self, point: Point, reading: Reading) -> None:
        """Keep a reading."""
        kept = self._kept.get(point.name)
        if kept is None:
            kept = deque(maxlen=max(point.queue_size, KEPT_VALUES))
            self._kept[point.name] = kept
        self.dropped += len(kept) == kept.maxlen
        kept.append(reading)
        self._news.set()

    def note_alive(self) -> None:
        """Note that the subscription was heard, with values or without."""
        self._news.set()

    def end(self, why: str) -> None:
        """Note that the server ended the subscription."""
        self.ended = why
        self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for news; False where none came."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def take(self) -> list[Reading]:
        """Give what is kept, each point's oldest first."""
        taken = [reading for kept in self._kept.values() for reading in kept]
        self._kept.clear()
        return taken
