"""The demo plant: four devices on three ports, and time that makes them move.

| device | port | unit | profile |
|---|---|---|---|
| pump station | first | 1 | ``demo-pump-station`` |
| energy meter | first | 2 | ``demo-energy-meter`` |
| air handling unit | first + 1 | 1 | ``demo-air-handling-unit`` |
| level transmitter, flaky | first + 2 | 1 | ``demo-level-transmitter`` |
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from simulators.modbus.air_handling import AirHandlingUnit
from simulators.modbus.energy_meter import EnergyMeter
from simulators.modbus.image import Image
from simulators.modbus.level_transmitter import LevelTransmitter, is_silent
from simulators.modbus.pump_station import PumpStation

FIRST_PORT = 5020
PORTS = 3
STEP_S = 1.0
"""Longest step of the models; a longer time is walked through."""


class Model(Protocol):
    """A device as physics: time in, registers out."""

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass, up to ``t`` after the start, ``of_day`` after midnight."""
        ...

    def image(self) -> Image:
        """Give the tables as they are now."""
        ...

    def write(self, address: int, words: list[int]) -> None:
        """Take words written to holding registers."""
        ...


class Simulated:
    """A model and how far it has come."""

    def __init__(self, model: Model, *, midnight_s: float = 0.0) -> None:
        """``midnight_s`` is how long after midnight the start was."""
        self.model = model
        self.t = 0.0
        self._midnight_s = midnight_s

    def advance(self, t: float) -> None:
        """Bring the model to ``t`` seconds after the start; never back."""
        while t > self.t:
            dt = min(STEP_S, t - self.t)
            self.t += dt
            self.model.advance(self.t, dt, self._midnight_s + self.t)


def never(_: float) -> bool:
    """Tell that a device always answers."""
    return False


@dataclass(frozen=True)
class PlantDevice:
    """One device of the plant, and where it is found."""

    name: str
    profile: str
    port: int
    """Counted from the plant's first."""
    unit: int
    product: str
    """What it says of itself when asked for its identification."""
    model: Callable[[int], Model]
    """Makes the device from a seed."""
    silent: Callable[[float], bool] = never
    """By seconds after the start."""


PLANT = (
    PlantDevice("pump-station", "demo-pump-station", 0, 1, "Simulated pump station", PumpStation),
    PlantDevice("energy-meter", "demo-energy-meter", 0, 2, "Simulated energy meter", EnergyMeter),
    PlantDevice(
        "air-handling-unit",
        "demo-air-handling-unit",
        1,
        1,
        "Simulated air handling unit",
        AirHandlingUnit,
    ),
    PlantDevice(
        "level-transmitter",
        "demo-level-transmitter",
        2,
        1,
        "Simulated level transmitter",
        LevelTransmitter,
        is_silent,
    ),
)
