"""A gateway's two folders on disk, the simulated cloud behind TLS, and a line between them."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from cloud_sync.status import SyncStatus
from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.samples import Sample
from components.sync import run
from edge_runtime.clock import SystemClock
from edge_runtime.host.context import Context
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox
from edge_runtime.settings import CloudSettings, GatewaySettings
from simulators.cloud_line.server import CloudLine, serving
from simulators.line.proxy import LineProxy

BATCH = 10


@dataclass
class Site:
    """The runtime's side of a gateway, without a runtime."""

    context: Context
    outbox: Outbox
    cloud: CloudLine
    line: LineProxy

    async def read(self, batches: int) -> None:
        """Commit batches of samples as the runtime does."""
        for _ in range(batches):
            now = self.context.clock.wall_us()
            await self.outbox.append_samples(
                [Sample("pump/flow", now + i, i / 4) for i in range(BATCH)]
            )

    async def happen(self, name: str) -> None:
        await self.outbox.append_events([Event(name, "test", self.context.clock.wall_us(), {})])

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(run(self.context))
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            forget_unfinished_handshakes()

    @property
    def arrived(self) -> list[int]:
        """Numbers of the batches of samples that the cloud has, in the order they came."""
        return [n for stream, n in self.cloud.books.arrivals if stream == Stream.SAMPLES]

    @property
    def acknowledged(self):
        reader = InboxReader(self.context.folders.inbox)
        try:
            return reader.acknowledged().get((Stream.SAMPLES, self.outbox.epoch), ())
        finally:
            reader.close()

    @property
    def status(self) -> dict:
        """``run/agent.json``, or that of an agent that did not begin yet."""
        path = self.context.folders.run / "agent.json"
        if not path.exists():
            return {"line": msgspec.to_builtins(SyncStatus())}
        return msgspec.json.decode(path.read_bytes())


def forget_unfinished_handshakes() -> None:
    """Collect what httpcore leaves when it is cancelled in a TLS handshake.

    It closes the socket for an Exception only, and CancelledError is none; the collector closes it,
    with a warning that would hit some later test.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Wait for a condition: ``await until(lambda: …)``."""

    async def wait(condition: Callable[[], object], seconds: float = 8.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - any condition
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[CloudLine]:
    async with serving(tmp_path, CloudLine()) as running:
        yield running


@pytest.fixture
async def line(cloud: CloudLine) -> AsyncIterator[LineProxy]:
    async with LineProxy("127.0.0.1", cloud.port) as proxy:
        cloud.ports.append(proxy.port)
        yield proxy


@pytest.fixture
def context(tmp_path: Path, cloud: CloudLine, line: LineProxy) -> Context:
    claim = SecretStr(str(cloud.books.new_claim()))
    settings = GatewaySettings(
        name="cellar-1",
        state_dir=tmp_path / "state",
        cloud=CloudSettings(url=f"https://127.0.0.1:{line.port}", claim=claim),
        file=tmp_path / "gateway.yaml",
    )
    return Context(settings, SystemClock(), "0.1.0")


@pytest.fixture
async def site(context: Context, cloud: CloudLine, line: LineProxy) -> AsyncIterator[Site]:
    async with Outbox.open(context.folders.outbox, OutboxSettings(), context.clock) as outbox:
        yield Site(context, outbox, cloud, line)
