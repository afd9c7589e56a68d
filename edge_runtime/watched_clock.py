"""A clock that notices when the wall time is stepped, before anything gets the new time.

The wall time follows the monotonic one at a fixed offset until somebody steps it: NTP after a start
without a battery clock, or a person. Whoever reads the time here learns of a step first, so that what
was stamped before and what is stamped after can be kept apart.
"""

from collections.abc import Callable

from cloud_sync.wire.batch import ClockQuality
from edge_runtime.clock import Clock, boot_id
from edge_runtime.outbox.committed import Stamp

STEP_US = 500_000
"""A change of the offset by more than this is a step."""
MAX_READ_US = 50_000
"""Wall and monotonic time are read one after the other; longer apart, they are read again."""

OnStep = Callable[[Stamp], None]
"""Called with the last moment at which the old wall time was in use."""


class WatchedClock:
    """Implements :class:`edge_runtime.clock.Clock` upon another; for one thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[OnStep] = []
        _, self._seen_us, self.offset_us = self._read()
        self._quality = clock.quality()

    def on_step(self, listener: OnStep) -> None:
        """Call ``listener`` at each step, before the new time is given to anybody."""
        self._listeners.append(listener)

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC."""
        wall_us, now_us, offset_us = self._read()
        if abs(offset_us - self.offset_us) > STEP_US:
            before = Stamp(boot_id(), self._seen_us, self._quality)
            self.offset_us = offset_us
            self._seen_us = now_us
            for listener in self._listeners:
                listener(before)
        self._seen_us = now_us
        return wall_us

    def monotonic(self) -> float:
        """Seconds since some moment of this boot."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""
        await self._clock.sleep(seconds)

    def quality(self) -> ClockQuality:
        """Tell whether the wall time can be trusted."""
        self._quality = self._clock.quality()
        return self._quality

    def stamp(self) -> Stamp:
        """Stamp what was taken since the last step; a step since then is noticed first."""
        self.wall_us()
        return Stamp(boot_id(), self._seen_us, self.quality())

    def _read(self) -> tuple[int, int, int]:
        """Read both times, close together: wall, monotonic, and what lies between them."""
        for _ in range(3):
            before = round(self._clock.monotonic() * 1e6)
            wall_us = self._clock.wall_us()
            after = round(self._clock.monotonic() * 1e6)
            if after - before <= MAX_READ_US:
                break
        return wall_us, after, wall_us - before
