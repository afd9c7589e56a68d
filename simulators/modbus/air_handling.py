"""An air handling unit: integers in tenths, an enumeration, bits and a serial number."""

import random

from simulators.modbus.image import Image, put, put_text
from simulators.modbus.signals import Lag, Wander, clamp, day

SERIAL = "AHU-7-2219-0043"
NOT_FITTED = -32_768
"""What the unit gives for a sensor that it does not have."""
NIGHT, DAY = 1, 2
"""Of the modes 0 off, 1 night, 2 day, 3 purge."""
DAY_HOURS = range(6, 20)


class AirHandlingUnit:
    """Holding registers throughout; the set point of the supply air may be written."""

    def __init__(self, seed: int = 3) -> None:
        rng = random.Random(seed)
        self.set_point = 19.0
        self.weather = Wander(rng, 1.8, 5_400.0)
        self.outside = 9.0
        self.room = Lag(21.4, 900.0)
        self.supply = Lag(18.6, 25.0)
        self.heating = Lag(30.0, 12.0)
        self.people = Wander(rng, 60.0, 600.0)
        self.co2 = Lag(520.0, 400.0)
        self.flutter = [Wander(rng, 1.0, 6.0) for _ in range(4)]
        self.filter_days = 61.0
        self.mode = DAY

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        _ = t
        self.mode = DAY if int(of_day // 3600) % 24 in DAY_HOURS else NIGHT
        for wander in (*self.flutter, self.weather, self.people):
            wander.advance(dt)
        self.outside = 8.0 + 5.5 * day(of_day, 15.0) + self.weather.value
        demand = clamp(4.5 * (self.set_point - self.outside) + self.flutter[0].value, 0, 100)
        self.heating.advance(demand, dt)
        self.supply.advance(self.set_point + 0.12 * self.flutter[1].value, dt)
        self.room.advance(self.set_point + 2.6 + 0.8 * day(of_day, 14.0), dt)
        busy = 420 + (380 + self.people.value if self.mode == DAY else 20)
        self.co2.advance(max(busy, 400), dt)
        self.filter_days += dt / 86_400

    @property
    def fan(self) -> float:
        """Supply fan in percent."""
        return (68.0 if self.mode == DAY else 32.0) + 0.7 * self.flutter[2].value

    def image(self) -> Image:
        """Give the tables as they are now."""
        image, fan = Image(), self.fan
        table = image.holding
        pressure = (70 + self.filter_days) * (fan / 68) ** 2 + self.flutter[3].value
        for address, value in enumerate(
            (
                10 * self.outside,
                10 * self.supply.value,
                10 * self.room.value,
                10 * (self.room.value - 0.62 * (self.room.value - self.outside)),
                10 * self.set_point,
                NOT_FITTED,
            )
        ):
            put(table, address, "int16", value)
        for address, value in enumerate(
            (
                10 * fan,
                10 * (fan - 4.0),
                pressure,
                10 * (35 if self.mode == DAY else 15),
                10 * self.heating.value,
                10 * clamp(46 + 3 * self.weather.value, 15, 90),
                self.co2.value,
                self.mode,
                1 | (self.mode == DAY) << 1 | (pressure > 250) << 4,  # noqa: PLR2004 - alarm at 250 Pa
            ),
            start=6,
        ):
            put(table, address, "uint16", value)
        put_text(table, 100, SERIAL, 8)
        return image

    def write(self, address: int, words: list[int]) -> None:
        """Take a new set point of the supply air, register 4, within 12 to 28 degrees."""
        for i, word in enumerate(words, start=address):
            if i == 4:  # noqa: PLR2004 - the register named above
                self.set_point = clamp(word / 10, 12.0, 28.0)
