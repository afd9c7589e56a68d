"""The demo's CoAP device: a rain-water tank that reports changes each second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from simulators.coap.rain_tank import RainTank
from simulators.coap.server import LOOPBACK, CoapDevice, Server, serve

PORT = 5683
REPORT_S = 1.0
PROFILE = "demo-rain-tank"


@asynccontextmanager
async def serve_tank(
    *, host: str = LOOPBACK, port: int = PORT, seed: int = 0, report_s: float = REPORT_S
) -> AsyncIterator[Server]:
    """Serve the tank; its observers hear of it every ``report_s``.

    Raises:
        OSError: the port is taken.

    """
    now = datetime.now().astimezone()
    model = RainTank(seed + 7)
    midnight_s = now.hour * 3600.0 + now.minute * 60 + now.second
    async with serve(CoapDevice(model.resources()), host=host, port=port) as server:
        task = asyncio.create_task(_live(model, server, midnight_s, report_s))
        try:
            yield server
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _live(model: RainTank, server: Server, midnight_s: float, report_s: float) -> None:
    loop = asyncio.get_running_loop()
    start = last = loop.time()
    while True:
        await asyncio.sleep(report_s)
        now = loop.time()
        model.advance(now - start, now - last, midnight_s + now - start)
        last = now
        server.notify()


async def run_tank(
    host: str = LOOPBACK,
    port: int = PORT,
    *,
    seed: int = 0,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve the tank until cancelled; ``ready`` is called with the port once it listens."""
    async with serve_tank(host=host, port=port, seed=seed) as server:
        if ready is not None:
            ready(server.port)
        await asyncio.Event().wait()
