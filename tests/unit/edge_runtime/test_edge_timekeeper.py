"""The wall time of a boot: what it was worth before somebody held it, and what is told then."""

import contextlib

import pytest

from cloud_sync.wire.batch import ClockQuality, Stream, open_batch
from cloud_sync.wire.events import ClockSpan, ClockSynchronised, EventKind, body_of
from cloud_sync.wire.samples import Sample, decode_samples
from edge_runtime.clock import boot_id
from edge_runtime.errors import StoreFullError
from edge_runtime.inbox.journal import Journal
from edge_runtime.outbox.collector import Collector
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox
from edge_runtime.timekeeper import Timekeeper
from edge_runtime.watched_clock import WatchedClock
from simulators.manual_clock import ManualClock

SECOND = 1_000_000
YEARS = 1_764_000_000
"""Seconds from 1970 to the present of these tests."""
UNSYNCHRONISED, SYNCHRONISED = ClockQuality.UNSYNCHRONISED, ClockQuality.SYNCHRONISED


@pytest.fixture
def clock():
    """A machine that starts in 1970."""
    clock = ManualClock(wall_us=0)
    clock.trust = UNSYNCHRONISED
    return clock


@pytest.fixture
def journal(tmp_path, clock):
    with contextlib.closing(Journal(tmp_path / "journal.db", clock)) as journal:
        yield journal


class Kept:
    """A timekeeper and what it told."""

    def __init__(self, clock, journal, boot="boot-1"):
        self.clock, self.events, self.full = clock, [], False
        self.keeper = Timekeeper(WatchedClock(clock), journal, boot=boot)

    async def pass_time(self, seconds):
        await self.clock.advance(seconds)
        await self.keeper.look(self.events.append, self.durable)

    async def synchronise(self, seconds):
        self.clock.jump(seconds)
        self.clock.trust = SYNCHRONISED
        await self.pass_time(0)

    async def durable(self):
        if self.full:
            raise StoreFullError

    def told(self):
        return [body_of(event, ClockSynchronised) for event in self.events]


@pytest.fixture
def kept(clock, journal):
    return Kept(clock, journal)


async def test_the_true_offset_is_told_once_it_is_known(kept):
    await kept.pass_time(10)
    await kept.synchronise(YEARS)
    await kept.pass_time(10)
    (told,) = kept.told()
    assert told.boot == "boot-1"
    assert told.offset_us == YEARS * SECOND
    assert told.spans[0] == ClockSpan(0, 10 * SECOND, 0)
    assert [event.kind for event in kept.events] == [EventKind.CLOCK_SYNCHRONISED]


async def test_a_clock_that_is_held_from_the_start_is_nothing_to_tell(clock, journal):
    clock.trust = SYNCHRONISED
    kept = Kept(clock, journal)
    await kept.pass_time(10)
    clock.jump(3600)
    await kept.pass_time(10)
    assert kept.events == []


async def test_a_clock_of_unknown_worth_is_nothing_to_tell(clock, journal):
    clock.trust = ClockQuality.UNKNOWN
    kept = Kept(clock, journal)
    await kept.pass_time(10)
    await kept.synchronise(YEARS)
    assert kept.events == []


async def test_each_step_before_begins_a_span(kept):
    await kept.pass_time(10)
    kept.clock.jump(1000)
    await kept.pass_time(10)
    await kept.synchronise(YEARS)
    (told,) = kept.told()
    assert [(s.from_us // SECOND, s.to_us // SECOND, s.offset_us // SECOND) for s in told.spans][
        :2
    ] == [(0, 10, 0), (10, 20, 1000)]


async def test_a_small_correction_is_no_step(kept):
    await kept.pass_time(10)
    kept.clock.jump(0.3)
    await kept.pass_time(10)
    assert len(kept.keeper.spans) == 1


async def test_the_runtime_may_restart_before_it_is_known(kept, clock, journal):
    await kept.pass_time(10)
    again = Kept(clock, journal)
    await again.pass_time(10)
    await again.synchronise(YEARS)
    assert again.told()[0].spans[0] == ClockSpan(0, 20 * SECOND, 0)


async def test_a_step_while_the_runtime_was_down_is_a_span_too(kept, clock, journal):
    await kept.pass_time(10)
    clock.jump(1000)
    again = Kept(clock, journal)
    assert [span.offset_us for span in again.keeper.spans] == [0, 1000 * SECOND]


async def test_spans_of_another_boot_are_dropped(kept, clock, journal):
    await kept.pass_time(10)
    after = Kept(clock, journal, boot="boot-2")
    assert len(after.keeper.spans) == 1
    assert list(journal.load_states()) == ["clock/boot-2"]


async def test_it_is_told_again_when_the_disk_did_not_take_it(kept, clock, journal):
    kept.full = True
    await kept.synchronise(YEARS)
    again = Kept(clock, journal)
    await again.pass_time(1)
    assert [event.id for event in again.events] == [event.id for event in kept.events]


async def test_once_told_it_is_forgotten(kept, clock, journal):
    await kept.synchronise(YEARS)
    again = Kept(clock, journal)
    await again.pass_time(1)
    assert again.events == []


async def test_a_clock_that_is_let_go_again_is_told_again(kept):
    await kept.synchronise(YEARS)
    kept.clock.trust = UNSYNCHRONISED
    await kept.pass_time(10)
    await kept.synchronise(2)
    first, second = kept.told()
    assert second.spans[0].offset_us == first.offset_us
    assert len({event.id for event in kept.events}) == 2


# --- batches -------------------------------------------------------------------------------------


def batches_in(folder):
    with contextlib.closing(OutboxReader(folder)) as reader:
        numbers = [n for low, high in reader.stored(Stream.SAMPLES) for n in range(low, high)]
        return [open_batch(b.message) for b in reader.load(Stream.SAMPLES, numbers, 1 << 20)]


async def test_no_batch_holds_times_from_before_and_after_a_step(tmp_path, clock):
    watched = WatchedClock(clock)
    await clock.advance(5)
    async with Outbox.open(tmp_path / "outbox", OutboxSettings(), clock) as outbox:
        collector = Collector(outbox, OutboxSettings(), clock, watched=watched)
        collector.add(Sample("pump/flow", watched.wall_us(), 1))
        clock.jump(YEARS)
        clock.trust = SYNCHRONISED
        await clock.advance(1)
        collector.add(Sample("pump/flow", watched.wall_us(), 2))
        collector.add(Sample("pump/flow", watched.wall_us(), 3))
        await collector.flush()
    before, after = batches_in(tmp_path / "outbox")
    assert (before.clock, before.monotonic_us, before.count) == (UNSYNCHRONISED, 5 * SECOND, 1)
    assert (after.clock, after.monotonic_us, after.count) == (SYNCHRONISED, 6 * SECOND, 2)
    assert {batch.boot for batch in (before, after)} == {boot_id()}


async def test_samples_of_many_steps_stay_apart_while_the_disk_is_full(tmp_path, clock):
    watched = WatchedClock(clock)
    async with Outbox.open(tmp_path / "outbox", OutboxSettings(), clock) as outbox:
        settings = OutboxSettings(batch_samples=2)
        collector = Collector(outbox, settings, clock, watched=watched)
        for step in range(3):
            for _ in range(3):
                collector.add(Sample("pump/flow", watched.wall_us(), step))
            await clock.advance(1)
            clock.jump(100)
        await collector.flush()
    values = [{s.value for s in decode_samples(b.payload)} for b in batches_in(tmp_path / "outbox")]
    assert values == [{0}, {0}, {1}, {1}, {2}, {2}]


def test_a_machine_that_stood_still_between_two_readings_is_no_step(clock):
    class Halting:
        """Stands still for a second after its wall time was read."""

        def __init__(self):
            self.reads = 0

        def wall_us(self):
            self.reads += 1
            now = clock.wall_us()
            if self.reads == 2:
                clock._now += 1.0
            return now

        def monotonic(self):
            return clock.monotonic()

        def quality(self):
            return SYNCHRONISED

    watched, steps = WatchedClock(Halting()), []
    watched.on_step(steps.append)
    watched.wall_us()
    assert steps == []
