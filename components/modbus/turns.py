"""Who may use a line next, and who has been silent for too long to be asked now."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass

MIN_PAUSE_S = 1.0
PAUSE_PER_TIMEOUT = 4.0
"""A silent unit takes at most one part in five of the line's time from the others."""


class Turns:
    """One user at a time; unit after unit, and within a unit first come, first served."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: OrderedDict[int, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, unit: int) -> None:
        """Wait for the line, for one request of this unit; who took it gives it back."""
        if not self._taken:
            self._taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(unit, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()  # it was ours already
            raise

    def give(self) -> None:
        """Hand the line to the next who waits."""
        while self._waiting:
            unit, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[unit] = queue  # behind the other units
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False


@dataclass(frozen=True, slots=True)
class Silence:
    """A unit that did not answer ``times`` in a row, and is left alone until ``until``."""

    times: int
    until: float


def next_silence(before: Silence | None, now: float, timeout_s: float) -> Silence:
    """Decide how long to leave a unit alone after it cost the line a time-out.

    The first time not at all, since one answer may be lost; then so long that the others keep most
    of the line. How often a silent device is tried beyond that is the runtime's to say.
    """
    if before is None:
        return Silence(1, now)
    return Silence(before.times + 1, now + max(MIN_PAUSE_S, PAUSE_PER_TIMEOUT * timeout_s))
