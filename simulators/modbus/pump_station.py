"""A waste water pumping station: a wet well, two pumps in turn, a rising main shared with another.

Water flows in by the time of day; a pump starts at the high level and stops at the low one, the
other one takes the next turn. Every minute the neighbouring station pumps into the same main and
the outlet pressure climbs above 6 bar for about ten seconds.
"""

import random
from dataclasses import dataclass, field

from simulators.modbus.image import Image, put
from simulators.modbus.signals import Lag, Wander, clamp, day

WELL_AREA_M2 = 0.9
INFLOW_M3_H = 42.0
PUMP_M3_H = 96.0
MAX_LEVEL_M = 3.0
HIGH_LEVEL_M = 2.2
STATIC_BAR = 3.1
PUMP_BAR = 1.25
SURGE_BAR = 6.45
SURGE_FIRST_S = 8.0
SURGE_PERIOD_S = 60.0
SURGE_S = 13.0
RUNNING_A = 14.2
AUTOMATIC = 2
"""Of the modes 0 off, 1 manual, 2 automatic, 3 fault."""


@dataclass
class Pump:
    """One pump."""

    rng: random.Random
    hours: float
    starts: int
    running: bool = False
    current: Lag = field(default_factory=lambda: Lag(0.0, 0.6))
    speed: Lag = field(default_factory=lambda: Lag(0.0, 1.5))
    bearing: Lag = field(default_factory=lambda: Lag(24.0, 240.0))

    def __post_init__(self) -> None:
        self.load = Wander(self.rng, 0.25, 20.0)

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        load = self.load.advance(dt)
        self.speed.advance(96.0 if self.running else 0.0, dt)
        self.current.advance(RUNNING_A + load if self.running else 0.0, dt)
        self.bearing.advance(51.0 + load if self.running else 24.0, dt)
        if self.running:
            self.hours += dt / 3600

    def start(self) -> None:
        """Switch on."""
        self.running = True
        self.starts += 1


class PumpStation:
    """Input registers hold what is measured, holding registers the levels that may be set."""

    def __init__(self, seed: int = 1) -> None:
        rng = random.Random(seed)
        self.level = 1.81
        self.start_level = 1.80
        self.stop_level = 0.70
        self.pumps = (Pump(rng, 8412.4, 31_207), Pump(rng, 8390.9, 31_198))
        self.next_pump = 0
        self.volume = 618_204.0
        self.pressure = Lag(STATIC_BAR, 0.8)
        self.inflow_noise = Wander(rng, 4.0, 45.0)
        self.flow_noise = Wander(rng, 1.1, 4.0)
        self.pressure_noise = Wander(rng, 0.035, 2.0)
        self.flow = 0.0
        self.bar = STATIC_BAR
        self.temperature = Wander(rng, 0.6, 900.0)

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass, up to ``t`` after the start, ``of_day`` after midnight."""
        inflow = INFLOW_M3_H * (1 + 0.35 * day(of_day, 8.5)) + self.inflow_noise.advance(dt)
        self._switch()
        for pump in self.pumps:
            pump.advance(dt)
        speed = sum(pump.speed.value for pump in self.pumps) / 100
        self.flow = max(0.0, speed * (PUMP_M3_H + self.flow_noise.advance(dt)))
        self.volume += self.flow * dt / 3600
        level = self.level + (inflow - self.flow) * dt / 3600 / WELL_AREA_M2
        self.level = clamp(level, 0.3, MAX_LEVEL_M)
        surge = t >= SURGE_FIRST_S and (t - SURGE_FIRST_S) % SURGE_PERIOD_S < SURGE_S
        target = SURGE_BAR if surge else STATIC_BAR + PUMP_BAR * speed
        self.bar = self.pressure.advance(target, dt) + self.pressure_noise.advance(dt)
        self.temperature.advance(dt)

    def _switch(self) -> None:
        running = [pump for pump in self.pumps if pump.running]
        if not running and self.level >= self.start_level:
            self.pumps[self.next_pump].start()
            self.next_pump = 1 - self.next_pump
        if self.level <= self.stop_level:
            for pump in running:
                pump.running = False

    def image(self) -> Image:
        """Give the tables as they are now."""
        image, (one, two) = Image(), self.pumps
        high = self.level >= HIGH_LEVEL_M
        table = image.inputs
        put(table, 0, "uint16", 1000 * self.level)
        put(table, 1, "int16", 100 * self.bar)
        put(table, 2, "float32", self.flow)
        put(table, 4, "uint16", 10 * one.current.value)
        put(table, 5, "uint16", 10 * two.current.value)
        put(table, 6, "uint16", 10 * one.speed.value)
        put(table, 7, "uint16", 10 * two.speed.value)
        put(table, 8, "int16", 10 * one.bearing.value)
        put(table, 9, "int16", 10 * two.bearing.value)
        put(table, 10, "uint16", one.running | two.running << 1 | high << 2 | 1 << 5)
        put(table, 11, "uint16", AUTOMATIC)
        put(table, 12, "int16", 10 * (16.5 + self.temperature.value))
        put(table, 20, "uint32", 10 * one.hours)
        put(table, 22, "uint32", 10 * two.hours)
        put(table, 24, "uint32", one.starts)
        put(table, 26, "uint32", two.starts)
        put(table, 28, "uint32", self.volume)
        put(image.holding, 0, "uint16", 1000 * self.start_level)
        put(image.holding, 1, "uint16", 1000 * self.stop_level)
        image.discretes = {0: high, 1: True}
        image.coils = {0: True}
        return image

    def write(self, address: int, words: list[int]) -> None:
        """Take new switching levels; a start level has to stay above the stop level."""
        levels = [self.start_level, self.stop_level]
        for i, word in enumerate(words, start=address):
            levels[i] = word / 1000
        if levels[0] > levels[1]:
            self.start_level, self.stop_level = levels
