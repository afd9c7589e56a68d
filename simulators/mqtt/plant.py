"""The demo plant behind a broker: three MQTT devices and a Sparkplug edge node.

| device | protocol | profile |
|---|---|---|
| boiler | mqtt | ``demo-mqtt-boiler`` |
| weather | mqtt | ``demo-mqtt-weather-station`` |
| cold-room | mqtt | ``demo-mqtt-cold-room`` |
| press-drive | sparkplug | ``demo-sparkplug-press`` |
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from simulators.mqtt.broker import find_mosquitto, run_mosquitto
from simulators.mqtt.devices import Boiler, ColdRoom, WeatherStation
from simulators.mqtt.edge_node import SimulatedNode, serve_node
from simulators.mqtt.press_line import PressLine
from simulators.mqtt.running import RunningDevice, serve
from simulators.mqtt.small_broker import run_small_broker

LOOPBACK = "127.0.0.1"
FIRST_PORT = 1884
"""Not 1883, where a broker of the machine's own may listen."""


@dataclass(frozen=True)
class PlantDevice:
    """One device of the plant, and how a gateway reads it."""

    name: str
    protocol: str
    profile: str
    more: Mapping[str, str] = field(default_factory=dict)
    """Further fields of the device in gateway.yaml."""


PLANT = (
    PlantDevice("boiler", "mqtt", "demo-mqtt-boiler"),
    PlantDevice("weather", "mqtt", "demo-mqtt-weather-station"),
    PlantDevice("cold-room", "mqtt", "demo-mqtt-cold-room"),
    PlantDevice(
        "press-drive",
        "sparkplug",
        "demo-sparkplug-press",
        {"group_id": "plant", "edge_node_id": "press-line", "device_id": "drive-1"},
    ),
)


@dataclass(frozen=True)
class Running:
    """A plant that runs."""

    port: int
    """Of the broker."""
    broker: str
    """``mosquitto``, ``small``, or ``theirs``: one that was there already."""
    devices: Mapping[str, RunningDevice]
    node: SimulatedNode


@asynccontextmanager
async def serve_plant(
    *, host: str = LOOPBACK, port: int = FIRST_PORT, seed: int = 0, broker: str = ""
) -> AsyncIterator[Running]:
    """Run a broker with the plant on it; port 0 for a free one.

    ``broker`` is ``mosquitto``, ``small`` (3.1.1 only, needs nothing installed), ``theirs`` for one
    that listens there already, or empty for mosquitto where it is installed.

    Raises:
        OSError: the port is taken, or there is no broker.

    """
    kind = broker or ("mosquitto" if find_mosquitto() else "small")
    async with AsyncExitStack() as stack:
        if kind == "mosquitto":
            port = await stack.enter_async_context(run_mosquitto(port, host=host))
        elif kind == "small":
            port = await stack.enter_async_context(run_small_broker(port, host=host))
        models = (Boiler(seed + 1), WeatherStation(seed + 2), ColdRoom(seed + 3))
        devices = {
            model.name: await stack.enter_async_context(serve(model, host, port))
            for model in models
        }
        line = PressLine(seed + 5)
        node = await stack.enter_async_context(serve_node(line, host, port))
        yield Running(port, kind, devices, node)


async def run_plant(
    host: str = LOOPBACK,
    port: int = FIRST_PORT,
    *,
    seed: int = 0,
    broker: str = "",
    ready: Callable[[Running], None] | None = None,
) -> None:
    """Run the plant until cancelled; ``ready`` is called once the broker listens."""
    async with serve_plant(host=host, port=port, seed=seed, broker=broker) as running:
        if ready is not None:
            ready(running)
        await asyncio.Event().wait()
