"""Which points have had no news for longer than was promised. Pure.

News of a point is a reading of it, of whatever quality, or a confirmation that its last reading
still holds. Times in seconds on the monotonic clock.
"""

import math
from collections.abc import Collection, Iterable

from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Access

CHECKS_PER_PROMISE = 4
MIN_CHECK_S, MAX_CHECK_S = 0.1, 5.0


class Freshness:
    """The age of every point of one device that can be read against its promise."""

    def __init__(self, settings: DeviceSettings) -> None:
        self._promised_s = {
            point.name: settings.promised_s(point)
            for point in settings.points
            if point.access is not Access.WRITE
        }
        self._heard: dict[str, float] = {}
        self.stale: set[str] = set()
        """Points that were promised and did not come."""
        shortest = min(self._promised_s.values(), default=math.inf) / CHECKS_PER_PROMISE
        self.check_s = min(MAX_CHECK_S, max(MIN_CHECK_S, shortest))
        """How often to look."""

    def begin(self, now: float) -> None:
        """Wait for every point; those heard before were promised then, not now."""
        for point in self._promised_s:
            self._heard.setdefault(point, now)

    def lose(self) -> None:
        """Miss every point until it is heard: the device is lost."""
        self.stale = set(self._promised_s)

    def heard(self, points: Iterable[str], now: float) -> bool:
        """Note news; tells whether they ended the last point's staleness."""
        self._heard.update(dict.fromkeys(points, now))
        if not self.stale:
            return False
        self.stale -= {point for point in self.stale if self._heard[point] == now}
        return not self.stale

    def expire(self, now: float) -> Collection[str]:
        """Give the points that have become stale since the last look."""
        fresh = [
            point
            for point, at in self._heard.items()
            if now - at > self._promised_s[point] and point not in self.stale
        ]
        self.stale.update(fresh)
        return fresh

    @property
    def deaf(self) -> bool:
        """Whether every point is stale."""
        return 0 < len(self.stale) == len(self._promised_s)
