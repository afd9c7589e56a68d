"""The simulated HTTP devices together: a heat pump that answers, and a sensor that may post."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from simulators.http.heat_pump import HeatPump
from simulators.http.sensor import Posting, RoomSensor
from simulators.http.server import LOOPBACK, WebDevice, serve

PORT = 8090
POST_EVERY_S = 5.0


@asynccontextmanager
async def serve_devices(
    *,
    host: str = LOOPBACK,
    port: int = PORT,
    seed: int = 0,
    posting: Posting | None = None,
    interval_s: float = POST_EVERY_S,
) -> AsyncIterator[int]:
    """Serve the heat pump and, with ``posting``, let a room sensor post; gives the pump's port.

    Raises:
        OSError: the port is taken.

    """
    async with (
        serve(WebDevice(HeatPump(seed + 5)), host=host, port=port) as taken,
        asyncio.TaskGroup() as group,
    ):
        task = None
        if posting is not None:
            task = group.create_task(posting.run(RoomSensor(seed + 8), interval_s))
        try:
            yield taken
        finally:
            if task is not None:
                task.cancel()


async def run_devices(
    host: str = LOOPBACK,
    port: int = PORT,
    *,
    seed: int = 0,
    posting: Posting | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve until cancelled; ``ready`` is called with the port once it listens."""
    async with serve_devices(host=host, port=port, seed=seed, posting=posting) as taken:
        if ready is not None:
            ready(taken)
        await asyncio.Event().wait()
