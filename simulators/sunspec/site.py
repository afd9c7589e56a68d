"""The simulated SunSpec devices: an inverter and a meter on one line."""

from simulators.modbus.plant import Model
from simulators.sunspec.inverter import Inverter
from simulators.sunspec.meter import Meter

PORT = 5030
INVERTER_UNIT = 1
METER_UNIT = 2


def units(seed: int = 0) -> dict[int, Model]:
    """Give the devices by unit id, for :func:`simulators.modbus.server.serve`."""
    return {
        INVERTER_UNIT: Inverter(seed + INVERTER_UNIT),
        METER_UNIT: Meter(seed + METER_UNIT),
    }
