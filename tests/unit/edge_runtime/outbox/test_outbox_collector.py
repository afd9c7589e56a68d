"""Group commit: when, how much, and what happens while the disk takes nothing."""

import asyncio
import contextlib

import pytest

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.samples import Sample
from edge_runtime.errors import StoreFullError
from edge_runtime.outbox.collector import MAX_PENDING_EVENTS, RETRY_S, Collector
from edge_runtime.outbox.committed import Appended, Committed
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox

SETTINGS = OutboxSettings(commit_interval_s=0.5, batch_samples=10, max_pending_samples=1_000)


class MemoryOutbox:
    """Takes what it is given until it is told to refuse; the collector's side of an outbox."""

    def __init__(self):
        self.refuses = False
        self.batches = []
        self.dropped = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def append_samples(self, samples, stamp=None):
        return await self._append(Stream.SAMPLES, samples)

    async def append_events(self, events, stamp=None):
        return await self._append(Stream.EVENTS, events)

    async def drop(self, stream, count):
        self.dropped.append((stream, count))

    async def _append(self, stream, items):
        await self.gate.wait()
        if self.refuses:
            raise StoreFullError("no space", hint="free disk space")
        self.batches.append((stream, list(items)))
        seq = len(self.batches)
        return Appended((Committed(stream, "e", seq, len(items), 0, 0, 1, b""),), len(items))


@pytest.fixture
def memory():
    return MemoryOutbox()


@pytest.fixture
async def collector(memory, clock):
    committed = []
    collector = Collector(memory, SETTINGS, clock, committed.append)
    collector.seen = committed
    task = asyncio.ensure_future(collector.run())
    await asyncio.sleep(0)
    yield collector
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def sample(n):
    return Sample("pump/flow", n, float(n))


async def test_the_first_sample_waits_no_longer_than_the_interval(collector, memory, clock):
    collector.add(sample(1))
    await clock.advance(0.4)
    collector.add(sample(2))
    assert memory.batches == []
    await clock.advance(0.1)
    assert memory.batches == [(Stream.SAMPLES, [sample(1), sample(2)])]


async def test_a_full_batch_is_committed_at_once(collector, memory, clock):
    for n in range(10):
        collector.add(sample(n))
    await clock.advance(0)
    assert [len(items) for _, items in memory.batches] == [10]


async def test_an_event_is_committed_at_once_and_before_samples(collector, memory, clock):
    collector.add(sample(1))
    collector.add_event(Event("e", "x", 1, {}))
    await clock.advance(0)
    assert [stream for stream, _ in memory.batches] == [Stream.EVENTS, Stream.SAMPLES]


async def test_every_committed_batch_is_told(collector, clock):
    for n in range(25):
        collector.add(sample(n))
    await clock.advance(1)
    assert [(c.seq, c.count) for c in collector.seen] == [(1, 10), (2, 10), (3, 5)]


async def test_nothing_is_lost_while_the_store_refuses_for_a_while(collector, memory, clock):
    memory.refuses = True
    for n in range(25):
        collector.add(sample(n))
    await clock.advance(3)
    assert collector.health.degraded
    assert collector.health.reason == "no space"
    assert collector.health.pending_samples == 25
    memory.refuses = False
    await clock.advance(RETRY_S)
    assert [s for _, items in memory.batches for s in items] == [sample(n) for n in range(25)]
    assert not collector.health.degraded


async def test_an_outage_is_logged_once_at_each_end(collector, memory, clock, caplog):
    caplog.set_level("INFO")
    memory.refuses = True
    collector.add(sample(1))
    await clock.advance(10)
    memory.refuses = False
    await clock.advance(RETRY_S)
    assert [r.message for r in caplog.records] == [
        "outbox refuses, readings wait in memory",
        "outbox takes readings again",
    ]


async def test_the_oldest_samples_are_given_up_and_told(collector, memory, clock):
    memory.refuses = True
    for n in range(1_500):
        collector.add(sample(n))
    await clock.advance(5)
    assert collector.health.pending_samples == 1_000
    assert collector.health.dropped_samples == 500
    memory.refuses = False
    await clock.advance(RETRY_S)
    assert memory.dropped == [(Stream.SAMPLES, 500)]
    assert memory.batches[0][1][0] == sample(500)


async def test_events_waiting_for_the_disk_are_bounded_too(collector, memory, clock):
    memory.refuses = True
    for n in range(MAX_PENDING_EVENTS + 3):
        collector.add_event(Event(f"e{n}", "x", n, {}))
    await clock.advance(5)
    assert collector.health.pending_events == MAX_PENDING_EVENTS
    assert collector.health.dropped_events == 3


async def test_memory_stays_bounded_while_the_disk_hangs(collector, memory, clock):
    memory.gate.clear()
    for n in range(3_000):
        collector.add(sample(n))
    await clock.advance(1)
    assert collector.health.pending_samples == 2_000
    assert collector.health.dropped_samples == 1_000
    memory.gate.set()


async def test_what_waits_is_committed_when_the_process_ends(memory, clock):
    collector = Collector(memory, SETTINGS, clock)
    task = asyncio.ensure_future(collector.run())
    await asyncio.sleep(0)
    collector.add(sample(1))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert memory.batches == [(Stream.SAMPLES, [sample(1)])]


async def test_a_commit_under_way_is_not_done_twice_when_the_process_ends(memory, clock):
    collector = Collector(memory, SETTINGS, clock)
    task = asyncio.ensure_future(collector.run())
    memory.gate.clear()
    for n in range(10):
        collector.add(sample(n))
    await clock.advance(0)
    task.cancel()
    await asyncio.sleep(0)
    memory.gate.set()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [len(items) for _, items in memory.batches] == [10]


async def test_the_real_outbox_takes_what_the_collector_gives(root, reader, clock):
    async with Outbox.open(root, SETTINGS, clock) as outbox:
        collector = Collector(outbox, SETTINGS, clock)
        for n in range(12):
            collector.add(sample(n))
        collector.add_event(Event("e", "x", 1, {}))
        await collector.flush()
        assert await outbox.size() > 0
        assert await outbox.scrub() == []
        await outbox.condemn(Stream.SAMPLES, [1])
        assert await outbox.prune({}) == 0
    assert reader.epoch() == outbox.epoch
    assert reader.stored(Stream.SAMPLES) == ((2, 3),)
    assert reader.books(Stream.SAMPLES).lost == ((1, 2),)
