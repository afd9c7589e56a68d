"""How much to send at once, and how long to wait after a failure. Pure: it is told the time.

There is one lane with one request in flight, and its size follows the line: a request may carry as
many bytes as go through in a quarter of a second. Whatever becomes due meanwhile, an alert or a new
value, waits at most that long for the next request, on a fast line and on 64 kbit/s alike. A second
lane would only compete with the first for the same bytes; a fixed rate for the backlog would be too
much for one line and a waste of another.
"""

import random
from collections.abc import Callable

KIB = 1024
START_BYTES = 64 * KIB
MIN_BYTES = 8 * KIB
MAX_BYTES = 2048 * KIB
TARGET_S = 0.25
"""What the bytes of a request may cost in time, on top of the line's own round trip."""
_LEARN = 0.25
"""Share by which the newest of the small requests moves the round trip."""

FIRST_S = 0.1
"""The first retry comes at once: most failures are a kept connection that was closed."""
BASE_S = 0.5
LIMIT_S = 30.0
UNREACHABLE_LIMIT_S = 5.0
"""Longest wait where no connection was made: a try costs nobody anything, and the line may be back.
A cloud that is there but has too much to do shows it otherwise: by 503, by a slow handshake."""
FACTOR = 1.5


class Pace:
    """Bytes that the next request may carry, learned from how long the last ones took."""

    def __init__(self) -> None:
        """Start small: on a slow line a large first request would time out."""
        self.max_bytes = START_BYTES
        self._round_trip_s: float | None = None

    def arrived(self, size: int, seconds: float) -> None:
        """Learn from a request of ``size`` bytes that was answered after ``seconds``.

        The smallest requests tell the round trip; what a larger one takes above it are its bytes.
        """
        if size <= MIN_BYTES or self.max_bytes == MIN_BYTES:
            known_s = seconds if self._round_trip_s is None else self._round_trip_s
            self._round_trip_s = known_s + _LEARN * (seconds - known_s)
        cost_s = seconds - (self._round_trip_s or 0.0)
        if cost_s > 2 * TARGET_S:
            self.max_bytes = max(MIN_BYTES, self.max_bytes // 2)
        elif cost_s < TARGET_S and size * 2 >= self.max_bytes:
            self.max_bytes = min(MAX_BYTES, self.max_bytes * 2)

    def failed(self) -> None:
        """Learn from a request that was not answered, or not well."""
        self.max_bytes = max(MIN_BYTES, self.max_bytes // 2)


class Backoff:
    """Full jitter: each wait is drawn between nothing and a limit that grows with every failure.

    The limit grows by half, not by two, so that an outage is over for the gateway after about a
    third of its length more; half a minute is the longest.
    """

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        """``draw`` gives a number in [0, 1)."""
        self._draw = draw
        self.failures = 0

    def next_s(self, longest_s: float = LIMIT_S) -> float:
        """Count a failure and give the seconds to wait, at most ``longest_s``."""
        limit_s = FIRST_S if self.failures == 0 else BASE_S
        for _ in range(1, self.failures):
            limit_s = min(LIMIT_S, limit_s * FACTOR)
        self.failures += 1
        return self._draw() * min(limit_s, longest_s)

    def reset(self) -> None:
        """Forget the failures: something went through."""
        self.failures = 0
