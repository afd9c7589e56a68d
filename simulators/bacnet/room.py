"""A room controller: temperature, carbon dioxide, presence, a radiator valve and a light."""

import random
from collections.abc import Sequence
from typing import Any

from simulators.bacnet.objects import analog, binary
from simulators.modbus.signals import Lag, Wander, clamp, day

DAY_HOURS = range(7, 19)
OUTSIDE_C = 8.0


class RoomController:
    """Its objects, kept true by a model. The valve and the set point may be commanded."""

    def __init__(self, number: int, seed: int = 5) -> None:
        rng = random.Random(seed + number)
        self.temperature = Lag(21.0, 1_200.0)
        self.co2 = Lag(480.0, 500.0)
        self.people = Wander(rng, 1.0, 900.0)
        self.sensor = Wander(rng, 0.06, 20.0)
        name = f"Room{number}"
        self._temperature = analog("input", 1, f"{name}.Temp", 21.0, "degrees-celsius")
        self._co2 = analog("input", 2, f"{name}.CO2", 480.0, "parts-per-million", increment=10)
        self._presence = binary("input", 1, f"{name}.Presence", False, ("empty", "occupied"))
        self._set_point = analog("command", 1, f"{name}.SetPoint", 21.5, "degrees-celsius")
        self._valve = analog("output", 1, f"{name}.Valve", 20.0, "percent", increment=1)
        self._light = binary("output", 1, f"{name}.Light", False)

    @property
    def objects(self) -> Sequence[Any]:
        """All of them."""
        return [
            self._temperature, self._co2, self._presence, self._set_point, self._valve, self._light,
        ]  # fmt: skip

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        _ = t
        self.people.advance(dt)
        wanted = float(self._set_point.presentValue)
        occupied = int(of_day // 3600) % 24 in DAY_HOURS and self.people.value > 0
        self._valve.presentValue = round(
            clamp(40 * (wanted - self.temperature.value) + 20, 0, 100), 1
        )
        heat = 0.12 * float(self._valve.presentValue) + (1.5 if occupied else 0.0)
        outside = OUTSIDE_C + 5 * day(of_day, 15.0)
        self.temperature.advance(outside + 10.0 + heat, dt)
        self.co2.advance(950.0 if occupied else 430.0, dt)
        self._temperature.presentValue = round(self.temperature.value + self.sensor.advance(dt), 2)
        self._co2.presentValue = round(self.co2.value, 0)
        self._presence.presentValue = "active" if occupied else "inactive"
