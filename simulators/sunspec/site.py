"""The simulated SunSpec devices: an inverter and a meter on one line."""

import asyncio
from collections.abc import Callable
from typing import Any

from simulators.modbus.plant import Model
from simulators.modbus.server import LOOPBACK, serve
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


async def run_sunspec(
    host: str = LOOPBACK,
    port: int = PORT,
    *,
    seed: int = 0,
    ready: Callable[[list[dict[str, Any]]], None] | None = None,
) -> None:
    """Serve them until cancelled; ``ready`` gets the devices as they stand in gateway.yaml.

    Raises:
        OSError: the port is taken.

    """
    async with serve(units(seed), host=host, port=port) as listening:
        if ready is not None:
            ready([
                {"name": name, "protocol": "sunspec", "profile": f"demo-{name}", "host": host,
                 "port": listening, "unit": unit}
                for name, unit in (("solar-inverter", INVERTER_UNIT), ("grid-meter", METER_UNIT))
            ])  # fmt: skip
        await asyncio.Event().wait()
