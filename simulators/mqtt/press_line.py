"""A press line: the metrics of a Sparkplug edge node and of the drive behind it."""

import random
from dataclasses import dataclass
from enum import IntEnum

from simulators.modbus.signals import Lag, Wander

MAX_SPEED = 60.0


class Type(IntEnum):
    """Data types (Sparkplug 3.0, 6.4.16), as far as they are used here."""

    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT16 = 6
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    TEMPLATE = 19


Value = float | bool | str | None


@dataclass(frozen=True)
class Metric:
    """One metric as it is now."""

    name: str
    type: Type
    value: Value
    alias: int
    quality: int | None = None
    historical: bool = False


class PressLine:
    """An edge node ``press-line`` with its own metrics and a device ``drive-1``."""

    group = "plant"
    node = "press-line"
    device = "drive-1"
    interval_s = 1.0

    def __init__(self, seed: int = 5) -> None:
        rng = random.Random(seed)
        self.setpoint = 32.0
        self.running = True
        self._speed = Lag(30.0, 4.0)
        self._ripple = Wander(rng, 0.3, 2.0)
        self._torque = Wander(rng, 6.0, 3.0)
        self._strokes = 1_204_881.0
        self._load = Wander(rng, 8.0, 20.0)

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        self._speed.advance(self.setpoint if self.running else 0.0, dt)
        for wander in (self._ripple, self._torque, self._load):
            wander.advance(dt)
        self._strokes += self._speed.value * dt / 60

    def node_metrics(self) -> list[Metric]:
        """Give the metrics of the edge node itself."""
        return [
            Metric("Node Control/Rebirth", Type.BOOLEAN, False, 1),
            Metric("Properties/Firmware", Type.STRING, "2.4.1", 2),
            Metric("Load", Type.UINT16, round(35 + min(max(self._load.value, -30), 60)), 3),
        ]

    def device_metrics(self) -> list[Metric]:
        """Give the metrics of the drive."""
        speed = max(0.0, self._speed.value + self._ripple.value) if self.running else 0.0
        torque = round(-35 + self._torque.value) if self.running else 0
        return [
            Metric("Drive/Speed", Type.DOUBLE, round(speed, 2), 11),
            Metric("Drive/Setpoint", Type.FLOAT, self.setpoint, 12),
            Metric("Drive/Torque", Type.INT16, torque, 13),
            Metric("Drive/Strokes", Type.UINT64, int(self._strokes), 14),
            Metric("Drive/Running", Type.BOOLEAN, self.running, 15),
            Metric("Drive/Recipe", Type.STRING, "lid 200 mm", 16),
            Metric("Drive/Oil", Type.INT32, None, 17),
            Metric("Drive/Encoder", Type.INT32, 4_711, 18, quality=0),
            Metric("Drive/Settings", Type.TEMPLATE, None, 19),
        ]

    def command(self, name: str, value: Value) -> None:
        """Take a command to the drive."""
        if name == "Drive/Setpoint" and isinstance(value, int | float):
            self.setpoint = min(max(float(value), 0.0), MAX_SPEED)
        elif name == "Drive/Running" and isinstance(value, bool):
            self.running = value
