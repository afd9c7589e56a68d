"""A three-phase energy meter at the feeder of the site: floats with the low register first (CDAB)."""

import math
import random

from simulators.modbus.image import Image, put
from simulators.modbus.signals import Wander, day

ORDER = "CDAB"
VOLT = 231.0
BASE_A = 38.0
ENERGY_EXPONENT = -2
"""The energy registers count in 10**-2 kWh and say so in a register of their own."""
NOT_FITTED = 0xFFFF


class EnergyMeter:
    """All values in holding registers."""

    def __init__(self, seed: int = 2) -> None:
        rng = random.Random(seed)
        self.volts = [Wander(rng, 1.4, 25.0) for _ in range(3)]
        self.amps = [Wander(rng, 3.0, 12.0) for _ in range(3)]
        self.unbalance = (1.0, 0.93, 1.06)
        self.cos = Wander(rng, 0.008, 30.0)
        self.hertz = Wander(rng, 0.015, 8.0)
        self.load = 1.0
        self.imported_kwh = 1_284_119.37
        self.exported_kwh = 86.12
        self.reactive_kvarh = 402_771.0

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        _ = t
        self.load = 1 + 0.4 * day(of_day, 13.0)
        for wander in (*self.volts, *self.amps, self.cos, self.hertz):
            wander.advance(dt)
        self.imported_kwh += self.kilowatts * dt / 3600
        self.reactive_kvarh += self.kilovars * dt / 3600

    @property
    def power_factor(self) -> float:
        """0 to 1."""
        return min(0.94 + self.cos.value, 1.0)

    def phase(self, i: int) -> tuple[float, float]:
        """Voltage and current of a phase."""
        return VOLT + self.volts[i].value, BASE_A * self.unbalance[i] * self.load + self.amps[
            i
        ].value

    @property
    def kilowatts(self) -> float:
        """Active power."""
        return sum(v * a for v, a in map(self.phase, range(3))) * self.power_factor / 1000

    @property
    def kilovars(self) -> float:
        """Reactive power."""
        factor = self.power_factor
        return self.kilowatts * math.sqrt(1 / factor**2 - 1)

    def image(self) -> Image:
        """Give the tables as they are now."""
        image = Image()
        table = image.holding
        for i in range(3):
            volts, amps = self.phase(i)
            put(table, 2 * i, "float32", volts, ORDER)
            put(table, 6 + 2 * i, "float32", amps, ORDER)
        put(table, 12, "float32", self.kilowatts, ORDER)
        put(table, 14, "float32", self.kilovars, ORDER)
        put(table, 16, "float32", self.power_factor, ORDER)
        put(table, 18, "float32", 50.0 + self.hertz.value, ORDER)
        put(table, 20, "float32", float("nan"), ORDER)  # neutral current: no fourth transformer
        scale = 10.0**-ENERGY_EXPONENT
        put(table, 40, "uint64", self.imported_kwh * scale, ORDER)
        put(table, 44, "uint64", self.exported_kwh * scale, ORDER)
        put(table, 48, "uint64", self.reactive_kvarh * scale, ORDER)
        put(table, 52, "int16", ENERGY_EXPONENT)
        put(table, 53, "uint16", 1)  # tariff
        return image

    def write(self, address: int, words: list[int]) -> None:
        """Take nothing: the meter is sealed."""
