"""An air handling unit as a BACnet controller presents it; the physics are those of the Modbus one."""

from collections.abc import Sequence
from typing import Any

from simulators.bacnet.objects import analog, binary, fail, multi_state, text
from simulators.modbus.air_handling import SERIAL, AirHandlingUnit
from simulators.modbus.signals import clamp

INSTANCE = 2_001
NO_SENSOR = 1
"""Of BACnetReliability."""
MODES = ("off", "night", "day", "purge")
FILTER_LIMIT_PA = 250.0
SET_POINT_RANGE = (12.0, 28.0)


class AirHandlingController:
    """Its objects, kept true by a model."""

    def __init__(self, seed: int = 3) -> None:
        self.model = AirHandlingUnit(seed)
        low, high = SET_POINT_RANGE
        self._measured = {
            "outside": analog("input", 1, "AHU1.OutsideTemp", 9.0, "degrees-celsius"),
            "supply": analog("input", 2, "AHU1.SupplyTemp", 18.6, "degrees-celsius"),
            "room": analog("input", 3, "AHU1.RoomTemp", 21.4, "degrees-celsius"),
            "exhaust": analog("input", 4, "AHU1.ExhaustTemp", 13.7, "degrees-celsius"),
            "filter": analog("input", 5, "AHU1.FilterPressure", 131.0, "pascals", increment=2),
            "co2": analog("input", 6, "AHU1.CO2", 520.0, "parts-per-million", increment=5),
            "humidity": analog(
                "input", 7, "AHU1.Humidity", 46.0, "percent-relative-humidity", increment=0.5
            ),
        }
        self._not_fitted = analog("input", 8, "AHU1.DuctTemp", 0.0, "degrees-celsius")
        fail(self._not_fitted, NO_SENSOR)
        self._fan = analog("output", 1, "AHU1.SupplyFan", 68.0, "percent", increment=0.5)
        self._valve = analog("output", 2, "AHU1.HeatingValve", 30.0, "percent", increment=0.5)
        self._set_point = analog(
            "command", 1, "AHU1.SupplySetPoint", 19.0, "degrees-celsius",
            minPresValue=low, maxPresValue=high,
        )  # fmt: skip
        self._dirty = binary("input", 1, "AHU1.FilterDirty", False, ("clean", "dirty"))
        self._running = binary("value", 1, "AHU1.Running", True, ("stopped", "running"))
        self._mode = multi_state("value", 1, "AHU1.Mode", 3, MODES)

    @property
    def objects(self) -> Sequence[Any]:
        """All of them."""
        return [
            *self._measured.values(), self._not_fitted, self._fan, self._valve, self._set_point,
            self._dirty, self._running, self._mode, text(1, "AHU1.Serial", SERIAL),
        ]  # fmt: skip

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        model = self.model
        model.set_point = clamp(float(self._set_point.presentValue), *SET_POINT_RANGE)
        model.advance(t, dt, of_day)
        room, outside, fan = model.room.value, model.outside, model.fan
        pressure = (70 + model.filter_days) * (fan / 68) ** 2 + model.flutter[3].value
        truth = {
            "outside": outside, "supply": model.supply.value, "room": room,
            "exhaust": room - 0.62 * (room - outside), "filter": pressure, "co2": model.co2.value,
            "humidity": clamp(46 + 3 * model.weather.value, 15, 90),
        }  # fmt: skip
        for name, value in truth.items():
            self._measured[name].presentValue = round(value, 2)
        self._fan.presentValue = round(fan, 1)
        self._valve.presentValue = round(model.heating.value, 1)
        self._dirty.presentValue = "active" if pressure > FILTER_LIMIT_PA else "inactive"
        self._mode.presentValue = model.mode + 1
