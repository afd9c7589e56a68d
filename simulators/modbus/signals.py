"""What measured values are made of: noise that returns to its mean, lags, days; pure."""

import math
import random
from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass
class Wander:
    """Noise that returns to its mean (Ornstein-Uhlenbeck): ``spread`` wide, ``tau_s`` slow."""

    rng: random.Random
    spread: float
    tau_s: float
    value: float = 0.0

    def advance(self, dt: float) -> float:
        """Let ``dt`` seconds pass; exact for any step."""
        keep = math.exp(-dt / self.tau_s)
        jolt = self.spread * math.sqrt(1 - keep * keep)
        self.value = self.value * keep + self.rng.gauss(0, jolt)
        return self.value


@dataclass
class Lag:
    """A value that follows its target with the time constant ``tau_s``."""

    value: float
    tau_s: float

    def advance(self, target: float, dt: float) -> float:
        """Let ``dt`` seconds pass."""
        self.value += (target - self.value) * (1 - math.exp(-dt / self.tau_s))
        return self.value


def day(t: float, peak_hour: float) -> float:
    """Give -1 to 1 over the day, highest at ``peak_hour``; ``t`` in seconds since midnight."""
    return math.cos(2 * math.pi * (t / DAY_S - peak_hour / 24))


def clamp(value: float, low: float, high: float) -> float:
    """Keep a value within limits."""
    return min(max(value, low), high)
