"""Runs the demo plant until it is stopped, on whatever line: for ``tidegate sim modbus``."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from simulators.modbus.plant import PlantDevice
from simulators.modbus.server import run_plant, serve_plant_line
from simulators.modbus.spoiling import Spoiler

Ready = Callable[[list[dict[str, Any]]], None]
"""Gets the devices as they stand in gateway.yaml."""


class Place(NamedTuple):
    """Where to serve: a host and its first port, or a serial port."""

    host: str
    first_port: int
    serial: str
    baudrate: int
    rtu_over_tcp: bool
    spoil: float = 0.0
    """Share of answers that arrive spoiled, on an RTU line."""


async def run_modbus(place: Place, *, seed: int, ready: Ready) -> None:
    """Serve the plant until cancelled.

    Raises:
        OSError: a port is taken, or cannot be opened.

    """
    if place.serial or place.rtu_over_tcp:
        await _run_line(place, seed=seed, ready=ready)
        return

    def tell(devices: dict[str, tuple[PlantDevice, int]]) -> None:
        ready([
            _device(name, device, {"host": place.host, "port": port}, device.unit)
            for name, (device, port) in devices.items()
        ])  # fmt: skip

    await run_plant(place.host, place.first_port, seed=seed, ready=tell)


async def _run_line(place: Place, *, seed: int, ready: Ready) -> None:
    line = serve_plant_line(
        path=place.serial,
        baudrate=place.baudrate,
        host=place.host,
        port=place.first_port,
        seed=seed,
        spoil=Spoiler(place.spoil, seed),
    )
    async with line as (port, devices):
        fields = _line_fields(place, port)
        ready([_device(name, device, fields, unit) for name, (device, unit) in devices.items()])
        await asyncio.Event().wait()


def _line_fields(place: Place, port: int) -> dict[str, Any]:
    if place.serial:
        serial = {"port": place.serial, "baudrate": place.baudrate, "parity": "none"}
        return {"serial": serial}
    return {"host": place.host, "port": port, "framing": "rtu"}


def _device(name: str, device: PlantDevice, line: dict[str, Any], unit: int) -> dict[str, Any]:
    return {
        "name": name, "protocol": "modbus", "profile": device.profile, **line, "unit": unit,
    }  # fmt: skip
