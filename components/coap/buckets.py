"""A token bucket: how much of something is let through; pure."""


class Bucket:
    """Lets ``rate`` a second through on average, and twice as many at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, 2 * rate)
        self._left = self._most
        self._at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Take one, if there is one left."""
        if self._at_s is not None:
            self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
