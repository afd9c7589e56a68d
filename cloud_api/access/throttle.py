"""How often something may be tried: a bucket of tries for each key, refilled over time."""

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_KEYS = 10_000
"""The key not used for longest gives way; a flood of keys cannot fill the memory."""


@dataclass(slots=True)
class Throttle:
    """Allows ``tries`` at once and then one every ``refill_s`` seconds, for each key."""

    tries: int
    refill_s: float
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, key: str, now: float) -> float:
        """Take one try; give 0.0, or the seconds to wait if there is none. ``now`` is monotonic."""
        left, since = self._buckets.pop(key, (float(self.tries), now))
        left = min(float(self.tries), left + (now - since) / self.refill_s)
        wait = 0.0 if left >= 1 else (1 - left) * self.refill_s
        self._buckets[key] = (left - 1 if wait == 0 else left, now)
        while len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        return wait
