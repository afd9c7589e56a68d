"""Who may use a line next, and who has been silent for too long to be asked now."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass

FIRST_PAUSE_S = 1.0
PAUSE_PER_TIMEOUT = 4.0
"""A silent unit takes at most one part in five of the line's time from the others."""
MAX_PAUSE_S = 30.0


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
    """A unit that does not answer: left alone until ``until``, longer each time."""

    pause_s: float
    until: float


def next_silence(before: Silence | None, now: float, timeout_s: float) -> Silence:
    """Decide how long to leave a unit alone after it cost the line a time-out."""
    first = max(FIRST_PAUSE_S, PAUSE_PER_TIMEOUT * timeout_s)
    pause = min(first if before is None else 2 * before.pause_s, max(MAX_PAUSE_S, first))
    return Silence(pause, now + pause)
