"""A radar level transmitter behind a bad radio link: silent for 8 s in every 40 s.

Its registers are laid out as its maker liked: floats with swapped bytes (BADC), one little-endian
(DCBA), and register 20 that is in the manual and not in the device.
"""

import random

from simulators.modbus.image import Image, put
from simulators.modbus.signals import Lag, Wander, day

SILENT_FIRST_S = 16.0
SILENT_PERIOD_S = 40.0
SILENT_S = 8.0
TANK_M = 6.0


def is_silent(t: float) -> bool:
    """Tell whether the link is down ``t`` seconds after the start."""
    return t >= SILENT_FIRST_S and (t - SILENT_FIRST_S) % SILENT_PERIOD_S < SILENT_S


class LevelTransmitter:
    """Holding registers."""

    def __init__(self, seed: int = 4) -> None:
        rng = random.Random(seed)
        self.level = Lag(3.2, 600.0)
        self.ripple = Wander(rng, 0.012, 3.0)
        self.housing = Wander(rng, 1.0, 1_200.0)
        self.signal = Wander(rng, 4.0, 10.0)
        self.battery_v = 3.61
        self.of_day = 0.0

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        _ = t
        self.of_day = of_day
        self.level.advance(3.2 + 1.4 * day(of_day, 5.0), dt)
        for wander in (self.ripple, self.housing, self.signal):
            wander.advance(dt)
        self.battery_v = max(3.0, self.battery_v - 1e-8 * dt)

    def image(self) -> Image:
        """Give the tables as they are now."""
        image = Image()
        table = image.holding
        level = self.level.value + self.ripple.value
        put(table, 0, "float32", level, "BADC")
        put(table, 2, "float32", TANK_M - level, "BADC")
        put(table, 4, "float32", 100 * level / TANK_M, "DCBA")
        put(table, 6, "int16", 10 * (11 + 4 * day(self.of_day, 15.0) + self.housing.value))
        put(table, 7, "uint16", min(max(62 + self.signal.value, 0), 100))
        put(table, 8, "uint16", 1000 * self.battery_v)
        put(table, 9, "uint16", 0)  # status: 0 measuring, 1 no echo, 2 fault
        return image

    def write(self, address: int, words: list[int]) -> None:
        """Take nothing."""
