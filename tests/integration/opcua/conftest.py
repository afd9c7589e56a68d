"""A simulator for all tests, and devices that trust it."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from components.opcua.certificate import own_certificate
from components.opcua.client import now
from components.opcua.driver import OpcUaDevice, driver
from components.opcua.trust import look_up, trust
from simulators.opcua.nodes import NAMESPACE
from simulators.opcua.server import Simulator, serve

SHOWN = ("Spindle.Load", "Machine.Parts", "Machine.FeedOverride", "Machine.Program")


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def started() -> AsyncIterator[Simulator]:
    async with serve() as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="session")
async def simulator(started: Simulator) -> AsyncIterator[Simulator]:
    """The simulator without faults."""
    yield started
    started.trusted, started.slow_s, started.frozen = None, 0.0, False
    started.unreported, started.most_per_read, started.mute = set(), 0, False
    for path in SHOWN:
        started.unmark(path)
    await started.come_back()
    await started.refresh()


def point(path: str, **more: Any) -> dict[str, Any]:
    return {"name": path.lower().replace(".", "_"), "node": f"nsu={NAMESPACE};s={path}", **more}


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the gateway for all tests: making one takes its time."""
    folder = tmp_path_factory.mktemp("own")
    return own_certificate(folder, "", now()).file.parent


@pytest.fixture
def pki(own: Path, tmp_path: Path) -> Path:
    """A folder that holds our certificate and no server's."""
    shutil.copytree(own, tmp_path / "pki" / "own")
    return tmp_path / "pki"


@pytest.fixture
def make_settings(pki: Path):
    def make(simulator: Simulator, *, known: bool = True, **more: Any):
        if known:
            trust(pki, look_up(pki, simulator.certificate).fingerprint)
        fields = {
            "name": "machine", "endpoint": simulator.endpoint, "pki_dir": pki, "interval_s": 0.1,
            "timeout_s": 1.5, "points": [point(path) for path in SHOWN],
        }  # fmt: skip
        return driver.settings(**(fields | more))

    return make


@pytest.fixture
def open_machine(make_settings):
    """Open the simulator as a device that trusts it."""

    @asynccontextmanager
    async def open_it(simulator: Simulator, **more: Any) -> AsyncIterator[OpcUaDevice]:
        async with driver.open_device(make_settings(simulator, **more)) as device:
            yield device

    return open_it


@pytest.fixture
def spoil():
    """A line to a port that flips a few of the bytes which come back."""

    @asynccontextmanager
    async def line(port: int, seed: int) -> AsyncIterator[int]:
        rng = random.Random(seed)
        tasks: set[asyncio.Task[None]] = set()
        writers: list[asyncio.StreamWriter] = []

        async def pump(reader, writer, *, spoilt: bool) -> None:
            with suppress(ConnectionError):
                while data := bytearray(await reader.read(65_536)):
                    if spoilt and rng.random() < 0.5:
                        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
                    writer.write(data)
                    await writer.drain()
            writer.close()

        async def both(reader, writer) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            writers.extend((writer, back))
            for task in (pump(reader, back, spoilt=False), pump(there, writer, spoilt=True)):
                tasks.add(asyncio.create_task(task))

        server = await asyncio.start_server(both, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in writers:
                writer.close()
            closed = (writer.wait_closed() for writer in writers)
            await asyncio.gather(*closed, return_exceptions=True)

    return line
