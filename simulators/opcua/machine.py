"""A machining centre as physics: programs, a spindle with load and heat, coolant, parts, energy; pure.

A part takes about a minute: set up, cut with a load that changes from tool to tool, change the
part. After a long shift the coolant runs low and somebody fills it up.
"""

import random
from dataclasses import dataclass, field
from enum import IntEnum

from simulators.modbus.signals import Lag, Wander, clamp

SETTING_UP_S, CUTTING_S, CHANGING_S = 8.0, 42.0, 10.0
CYCLE_S = SETTING_UP_S + CUTTING_S + CHANGING_S
TOOLS = ((9_000.0, 38.0), (12_500.0, 61.0), (4_200.0, 82.0))
"""Speed in 1/min and load in per cent of the tools of a program."""
AMBIENT_C = 22.0
FULL_L, LOW_L = 180.0, 60.0
MAX_OVERRIDE = 120.0


class State(IntEnum):
    """What the machine does."""

    STOPPED = 0
    SETTING_UP = 1
    CUTTING = 2
    CHANGING_PART = 3


@dataclass
class MachiningCentre:
    """Advances in time; its public fields are what the server shows."""

    seed: int = 1
    running: bool = True
    program: str = "O1204 housing"
    feed_override: float = 100.0
    light: bool = True
    parts: int = 18_204
    wanted: int = 0
    """Parts until it stops; 0 for no end."""
    energy_kwh: float = 48_122.6
    coolant_l: float = 151.0
    of_cycle_s: float = 0.0
    speed: Lag = field(default_factory=lambda: Lag(0.0, 1.2))
    load: Lag = field(default_factory=lambda: Lag(0.0, 0.6))
    heat: Lag = field(default_factory=lambda: Lag(31.0, 240.0))

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self._jitter = Wander(rng, 2.5, 1.5)
        self._flow = Wander(rng, 0.4, 6.0)

    @property
    def state(self) -> State:
        """What it does now."""
        if not self.running:
            return State.STOPPED
        if self.of_cycle_s < SETTING_UP_S:
            return State.SETTING_UP
        cutting = self.of_cycle_s < SETTING_UP_S + CUTTING_S
        return State.CUTTING if cutting else State.CHANGING_PART

    @property
    def tool(self) -> int:
        """Number of the tool in the spindle, from 1."""
        done = clamp((self.of_cycle_s - SETTING_UP_S) / CUTTING_S, 0.0, 0.999)
        return 1 + int(done * len(TOOLS))

    @property
    def power_kw(self) -> float:
        """Electrical power."""
        return 1.4 + 22.0 * self.load.value / 100

    @property
    def coolant_flow(self) -> float:
        """Litres a minute."""
        return max(0.0, 24.0 + self._flow.value) if self.state is State.CUTTING else 0.0

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass; steps of up to a second are fine."""
        if self.running:
            self._go_on(dt)
        cutting = self.state is State.CUTTING
        speed, load = TOOLS[self.tool - 1] if cutting else (0.0, 0.0)
        share = self.feed_override / 100
        self.speed.advance(speed, dt)
        jitter = self._jitter.advance(dt) if cutting else 0.0
        self._flow.advance(dt)
        self.load.advance(clamp(load * share + jitter, 0.0, 130.0), dt)
        self.heat.advance(AMBIENT_C + 0.55 * self.load.value, dt)
        self.energy_kwh += self.power_kw * dt / 3600
        if cutting:
            self.coolant_l -= 0.002 * dt
        if self.coolant_l < LOW_L:
            self.coolant_l = FULL_L

    def start(self, program: str, parts: int) -> bool:
        """Start a program for so many parts, 0 for no end; False where one runs already."""
        if self.running:
            return False
        self.program, self.wanted, self.running, self.of_cycle_s = program, parts, True, 0.0
        return True

    def stop(self) -> None:
        """Stop where it is."""
        self.running = False

    def _go_on(self, dt: float) -> None:
        pace = max(0.05, self.feed_override / 100) if self.state is State.CUTTING else 1.0
        self.of_cycle_s += dt * pace
        if self.of_cycle_s < CYCLE_S:
            return
        self.of_cycle_s -= CYCLE_S
        self.parts += 1
        if self.wanted:
            self.wanted -= 1
            self.running = self.wanted > 0
