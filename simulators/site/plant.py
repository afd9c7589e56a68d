"""The plant of the demo: every protocol, each device simulated on its own protocol for real.

| device | protocol | reads |
|---|---|---|
| pump station, energy meter, air handling unit, level transmitter | Modbus TCP | polled |
| sub-meter | Modbus RTU on a pseudo terminal | polled |
| solar inverter | SunSpec over Modbus TCP | polled |
| machining centre | OPC UA, signed and encrypted | subscribed |
| air handling, room | BACnet/IP | change of value |
| rain tank | CoAP | observed |
| boiler, weather station | MQTT | heard |
| press drive | Sparkplug B | heard |
| heat pump | HTTP | polled |
| room sensor | HTTP | posts by itself |
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from components.opcua.trust import look_up, trust
from edge_runtime.durable import make_folder, write_file
from simulators.bacnet.plant import serve_plant as serve_bacnet
from simulators.coap.plant import serve_tank
from simulators.http.running import serve_devices as serve_http
from simulators.http.sensor import Posting
from simulators.modbus.energy_meter import EnergyMeter
from simulators.modbus.server import serve as serve_modbus
from simulators.modbus.server import serve_plant as serve_modbus_plant
from simulators.modbus.server import serve_serial
from simulators.modbus.wire import cable
from simulators.mqtt.plant import PLANT as MQTT_PLANT
from simulators.mqtt.plant import serve_plant as serve_mqtt
from simulators.opcua.running import PROFILE as MACHINE
from simulators.opcua.running import kept_certificate
from simulators.opcua.server import serve as serve_opcua
from simulators.site.processes import free_port
from simulators.sunspec.site import INVERTER_UNIT, units

HOST = "127.0.0.1"
PKI = "pki/opcua"
"""Where the gateway of the demo keeps which OPC UA servers it trusts, beside its file."""
TOKEN_FILE = "room-sensor.token"  # noqa: S105 - a file's name
SERIAL_UNIT, SERIAL_BAUD = 7, 19_200
BACNET = ("air-handling", "room-1")
MQTT = ("boiler", "weather", "press-drive")

Device = dict[str, Any]
"""A device as it stands in gateway.yaml."""


@asynccontextmanager
async def serve_site(
    folder: Path, *, first_port: int = 0, seed: int = 0
) -> AsyncIterator[list[Device]]:
    """Serve the whole plant; gives its devices, ready for a gateway.yaml in ``folder``.

    Modbus TCP takes ``first_port`` and the two after it; the others take free ports.

    Raises:
        OSError: a port is taken.

    """
    await asyncio.to_thread(make_folder, folder)
    parts: tuple[Callable[[], Any], ...] = (
        lambda: _modbus(first_port, seed),
        lambda: _serial(seed),
        lambda: _sunspec(seed),
        lambda: _opcua(folder, seed),
        lambda: _bacnet(seed),
        lambda: _coap(seed),
        lambda: _mqtt(seed),
        lambda: _http(folder, seed),
    )
    async with AsyncExitStack() as stack:
        yield [device for part in parts for device in await stack.enter_async_context(part())]


async def run_site_plant(
    folder: Path,
    *,
    first_port: int = 0,
    seed: int = 0,
    ready: Callable[[list[Device]], None] | None = None,
) -> None:
    """Serve the whole plant until cancelled; ``ready`` is called once everybody listens."""
    async with serve_site(folder, first_port=first_port, seed=seed) as devices:
        if ready is not None:
            ready(devices)
        await asyncio.Event().wait()


@asynccontextmanager
async def _modbus(first_port: int, seed: int) -> AsyncIterator[list[Device]]:
    async with serve_modbus_plant(first_port=first_port, seed=seed) as found:
        yield [
            {"name": name, "protocol": "modbus", "profile": device.profile, "host": HOST,
             "port": port, "unit": device.unit}
            for name, (device, port) in found.items()
        ]  # fmt: skip


@asynccontextmanager
async def _serial(seed: int) -> AsyncIterator[list[Device]]:
    async with (
        cable() as (ours, theirs),
        serve_serial(
            {SERIAL_UNIT: EnergyMeter(seed + SERIAL_UNIT)},
            ours,
            baudrate=SERIAL_BAUD,
            products={SERIAL_UNIT: "Simulated energy meter"},
        ),
    ):
        serial = {"port": theirs, "baudrate": SERIAL_BAUD, "parity": "none"}
        yield [
            {"name": "sub-meter", "protocol": "modbus", "profile": "demo-energy-meter",
             "serial": serial, "unit": SERIAL_UNIT}
        ]  # fmt: skip


@asynccontextmanager
async def _sunspec(seed: int) -> AsyncIterator[list[Device]]:
    async with serve_modbus(units(seed), host=HOST) as port:
        yield [
            {"name": "solar-inverter", "protocol": "sunspec", "profile": "demo-solar-inverter",
             "host": HOST, "port": port, "unit": INVERTER_UNIT}
        ]  # fmt: skip


@asynccontextmanager
async def _opcua(folder: Path, seed: int) -> AsyncIterator[list[Device]]:
    certificate = await asyncio.to_thread(kept_certificate, None)
    pki = folder / PKI
    trust(pki, look_up(pki, certificate[0]).fingerprint)
    async with serve_opcua(host=HOST, seed=seed + 1, certificate=certificate) as served:
        yield [
            {"name": "machining-centre", "protocol": "opcua", "profile": MACHINE,
             "endpoint": served.endpoint, "pki_dir": PKI}
        ]  # fmt: skip


@asynccontextmanager
async def _bacnet(seed: int) -> AsyncIterator[list[Device]]:
    async with serve_bacnet(host=HOST, first_port=0, seed=seed) as found:
        yield [
            {"name": f"bacnet-{name}", "protocol": "bacnet", "profile": found[name].device.profile,
             "host": f"{HOST}:{found[name].port}", "local_address": HOST, "local_port": 0,
             "device_instance": found[name].device.instance}
            for name in BACNET
        ]  # fmt: skip


@asynccontextmanager
async def _coap(seed: int) -> AsyncIterator[list[Device]]:
    async with serve_tank(host=HOST, port=0, seed=seed) as server:
        yield [
            {"name": "rain-tank", "protocol": "coap", "profile": "demo-rain-tank",
             "host": HOST, "port": server.port}
        ]  # fmt: skip


@asynccontextmanager
async def _mqtt(seed: int) -> AsyncIterator[list[Device]]:
    async with serve_mqtt(host=HOST, port=0, seed=seed) as running:
        yield [
            {"name": device.name, "protocol": device.protocol, "profile": device.profile,
             "host": HOST, "port": running.port, **device.more}
            for device in MQTT_PLANT
            if device.name in MQTT
        ]  # fmt: skip


@asynccontextmanager
async def _http(folder: Path, seed: int) -> AsyncIterator[list[Device]]:
    token, listens = secrets.token_urlsafe(32), free_port()
    write_file(folder / TOKEN_FILE, token.encode())
    posting = Posting(HOST, listens, "room-sensor", token)
    async with serve_http(host=HOST, port=0, seed=seed, posting=posting) as port:
        yield [
            {"name": "heat-pump", "protocol": "http", "profile": "demo-heat-pump",
             "url": f"http://{HOST}:{port}"},
            {"name": "room-sensor", "protocol": "http", "profile": "demo-room-sensor",
             "listen": f"{HOST}:{listens}", "token_file": TOKEN_FILE},
        ]  # fmt: skip
