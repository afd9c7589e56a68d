"""Present values that wait for the socket: in order, bounded, and not kept for later.

While nobody listens only the newest reading of every point is remembered. Who begins to listen gets
those first, with the present time: they are what holds now, not what happened meanwhile. The same
stands in for everything that waits once it is too much.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec

from edge_runtime.clock import Clock
from edge_runtime.model import Reading
from edge_runtime.normalise import Normalised

MAX_WAITING = 20_000
"""Readings; a second of a busy site."""

Piece = tuple[str, Sequence[Reading]]
"""A device, and readings of it that were received together."""


class Tail:
    """Takes every read of an adapter's devices; subscribe :meth:`take` to the bus."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: dict[str, dict[str, Reading]] = {}
        self._waiting: deque[Piece] = deque()
        self._count = 0
        self._listened_to = False
        self._some = asyncio.Event()
        self.overflows = 0
        """How often what waited was too much and the present state went instead."""

    def take(self, normalised: Normalised) -> None:
        """Take one read of a device."""
        readings = normalised.readings
        if not readings:
            return
        newest = self._newest.setdefault(normalised.device, {})
        for reading in readings:
            newest[reading.point] = reading
        if not self._listened_to:
            return
        self._count += len(readings)
        if self._count > MAX_WAITING:
            self.overflows += 1
            self.begin()
        else:
            self._waiting.append((normalised.device, readings))
            self._some.set()

    @property
    def waiting(self) -> int:
        """Readings that wait for the socket."""
        return self._count

    def begin(self) -> None:
        """Somebody listens: give them what holds now."""
        now_us = self._clock.wall_us()
        self._waiting = deque(
            (device, [msgspec.structs.replace(r, received_us=now_us) for r in newest.values()])
            for device, newest in self._newest.items()
        )
        self._count = 0
        self._listened_to = True
        self._some.set()

    def end(self) -> None:
        """Nobody listens any more."""
        self._listened_to = False
        self._waiting.clear()
        self._count = 0

    async def next(self) -> list[Piece]:
        """Give everything that waits, once something does."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        pieces, self._count = list(self._waiting), 0
        self._waiting.clear()
        return pieces
