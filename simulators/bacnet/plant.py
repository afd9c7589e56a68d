"""The demo plant: three controllers on three ports, and time that makes them move.

| device | port | instance | profile |
|---|---|---|---|
| air handling unit | first | 2001 | ``demo-bacnet-air-handling-unit`` |
| room 1 | first + 1 | 2011 | ``demo-bacnet-room`` |
| room 2, small: no segmentation, no COV | first + 2 | 2012 | ``demo-bacnet-room`` |
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bacpypes3.basetypes import Segmentation

from simulators.bacnet.air_handling import INSTANCE, AirHandlingController
from simulators.bacnet.device import LOOPBACK, SimulatedDevice, serve
from simulators.bacnet.faults import Faults
from simulators.bacnet.room import RoomController

FIRST_PORT = 47_810
STEP_S = 1.0
PORTS = 3


class Controller(Protocol):
    """Objects, and physics that move them."""

    @property
    def objects(self) -> Sequence[Any]:
        """All objects."""
        ...

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass, up to ``t`` after the start, ``of_day`` after midnight."""
        ...


@dataclass(frozen=True)
class PlantDevice:
    """One device of the plant, and where it is found."""

    name: str
    profile: str
    instance: int
    make: Callable[[int], Controller]
    """Makes the controller from a seed."""
    hide_cov: bool = False
    device: Mapping[str, Any] = field(default_factory=dict)


SMALL = {"maxApduLengthAccepted": 480, "segmentationSupported": Segmentation.noSegmentation}
PLANT = (
    PlantDevice("air-handling", "demo-bacnet-air-handling-unit", INSTANCE, AirHandlingController),
    PlantDevice("room-1", "demo-bacnet-room", 2_011, lambda seed: RoomController(1, seed)),
    PlantDevice(
        "room-2", "demo-bacnet-room", 2_012, lambda seed: RoomController(2, seed),
        hide_cov=True, device=SMALL,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Served:
    """A device of the plant that listens."""

    device: PlantDevice
    port: int
    simulated: SimulatedDevice


@asynccontextmanager
async def serve_plant(
    *, host: str = LOOPBACK, first_port: int = FIRST_PORT, seed: int = 0
) -> AsyncIterator[dict[str, Served]]:
    """Serve the demo plant; gives each device by name. First port 0: free ones.

    Raises:
        OSError: a port is taken.

    """
    async with AsyncExitStack() as stack:
        found, controllers = {}, []
        for offset, device in enumerate(PLANT):
            controller = device.make(seed)
            faults = Faults(hide_cov=device.hide_cov, refuse_cov=device.hide_cov)
            simulated, port = await stack.enter_async_context(
                serve(
                    device.instance,
                    controller.objects,
                    host=host,
                    port=first_port + offset if first_port else 0,
                    faults=faults,
                    **device.device,
                )
            )
            found[device.name] = Served(device, port, simulated)
            controllers.append(controller)
        moving = asyncio.create_task(_move(controllers))
        try:
            yield found
        finally:
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)


async def _move(controllers: Sequence[Controller]) -> None:
    now = datetime.now().astimezone()
    midnight_s = now.hour * 3600.0 + now.minute * 60 + now.second
    loop = asyncio.get_running_loop()
    start = last = loop.time()
    while True:
        t = loop.time()
        for controller in controllers:
            controller.advance(t - start, t - last, midnight_s + t - start)
        last = t
        await asyncio.sleep(STEP_S)


async def run_plant(
    host: str = LOOPBACK,
    first_port: int = FIRST_PORT,
    *,
    seed: int = 0,
    ready: Callable[[dict[str, Served]], None] | None = None,
) -> None:
    """Serve the demo plant until cancelled; ``ready`` is called once everybody listens."""
    async with serve_plant(host=host, first_port=first_port, seed=seed) as devices:
        if ready is not None:
            ready(devices)
        await asyncio.Event().wait()
