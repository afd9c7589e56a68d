"""Both sides of the socket over real folders, each of which can be killed and started again."""

import asyncio
import contextlib
import os

import pytest

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.events import decode_events
from cloud_sync.wire.samples import Sample, decode_samples
from edge_runtime.adapters.absence import Absence
from edge_runtime.adapters.handing import Ours
from edge_runtime.adapters.link import Link
from edge_runtime.adapters.reception import Reception
from edge_runtime.adapters.tail import Tail
from edge_runtime.bus import Bus
from edge_runtime.clock import SystemClock
from edge_runtime.inbox.journal import Journal
from edge_runtime.outages import Outages
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox

SMALL = OutboxSettings(segment_bytes=64 << 10, max_bytes=1 << 20, reserve_bytes=128 << 10)
POINTS = {"serial-1": {"pump": ["pump/flow"]}}


def sample(value):
    return Sample("pump/flow", 1_000_000 + value, value)


def batches_in(folder, stream):
    """Everything that an outbox holds of a stream, by number."""
    with contextlib.closing(OutboxReader(folder)) as reader:
        numbers = [n for low, high in reader.stored(stream) for n in range(low, high)]
        return [open_batch(b.message) for b in reader.load(stream, numbers, 1 << 30)]


class Side:
    """A part of the gateway that runs in a task and keeps a folder."""

    def __init__(self, folder):
        self.folder = folder
        self._stack = contextlib.AsyncExitStack()
        self._task = None

    async def start(self):
        self.outbox = await self._stack.enter_async_context(
            Outbox.open(self.folder / "outbox", SMALL, SystemClock())
        )
        self._task = asyncio.ensure_future(self.make().run())

    async def kill(self):
        """What is committed stays, what is not is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        await self._stack.aclose()


class RuntimeSide(Side):
    def __init__(self, folder):
        super().__init__(folder)
        self.run = folder / "run"
        self.bus = Bus()
        self.heard, self.events, self.taken = [], [], []
        self.bus.on_readings(self.heard.append)
        self.bus.on_event(self.events.append)

    def make(self):
        clock = SystemClock()
        journal = self._stack.enter_context(
            contextlib.closing(Journal(self.folder / "journal.db", clock))
        )
        absence = Absence(POINTS, self.bus, Outages(journal), clock)
        self.reception = Reception(
            self.run, self.outbox, POINTS, absence,
            bus=self.bus, clock=clock, on_taken=self.taken.append,
        )  # fmt: skip
        return self.reception

    def values(self):
        found = batches_in(self.folder / "outbox", Stream.SAMPLES)
        return [s.value for b in found for s in decode_samples(b.payload)]

    def told(self):
        found = batches_in(self.folder / "outbox", Stream.EVENTS)
        return [e for b in found for e in decode_events(b.payload)]


class AdapterSide(Side):
    def __init__(self, folder, run):
        super().__init__(folder)
        self.run = run
        self.tail = Tail(SystemClock())
        self.refreshed = []

    def make(self):
        reader = self._stack.enter_context(contextlib.closing(OutboxReader(self.folder / "outbox")))
        memory = self.folder / "acknowledged.json"
        ours = Ours(
            "serial-1", "0.0.1", os.getpid(), self.outbox, reader, self.tail, self.refresh, memory
        )
        self.link = Link(ours, self.run, SystemClock())
        return self.link

    async def refresh(self, device):
        self.refreshed.append(device)
        return "" if device == "pump" else "it is silent"

    async def read(self, *values):
        """Commit a batch of samples."""
        await self.outbox.append_samples([sample(value) for value in values])
        self.link.notice()


@pytest.fixture
async def runtime(tmp_path):
    side = RuntimeSide(tmp_path / "runtime")
    yield side
    await side.kill()


@pytest.fixture
async def adapter(tmp_path, runtime):
    side = AdapterSide(tmp_path / "adapter", runtime.run)
    yield side
    await side.kill()


@pytest.fixture
def until():
    """Wait for what another task does."""

    async def wait(reached):
        async with asyncio.timeout(5):
            while not reached():  # noqa: ASYNC110 - tasks of both sides are watched
                await asyncio.sleep(0.005)

    return wait
