"""The uplink on stores and a cloud in memory: whatever happens, each batch arrives once."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_sync.errors import (
    AnswerInvalidError,
    CloudFailedError,
    LineDownError,
    LineError,
    UploadTooLargeError,
)
from cloud_sync.line import Line
from cloud_sync.status import SyncStatus
from cloud_sync.uplink import HEARTBEAT_S, Uplink
from cloud_sync.wire.batch import Stream
from cloud_sync.wire.uplink import BatchResult, Outcome, UploadReply
from simulators.cloud_line.memory import MemoryInbox, MemoryOutbox, MemoryTransport
from simulators.manual_clock import ManualClock

EPOCH = "00c0ffee00c0ffee"


class World:
    """A gateway's stores, its cloud, and an agent that can be started again."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.outbox = MemoryOutbox(EPOCH)
        self.inbox = MemoryInbox()
        self.transport = MemoryTransport()
        self.start()

    def start(self) -> None:
        self.status = SyncStatus()
        self.uplink = Uplink(
            self.outbox,
            self.inbox,
            self.transport,
            Line(self.status, self.clock),
            clock=self.clock,
            version="0.1.0",
        )

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.uplink.run())
        yield task
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def send_once(self) -> None:
        with suppress(LineError):
            await self.uplink.send(self.uplink.prepare())

    @property
    def arrivals(self):
        return self.transport.books.arrivals

    def acknowledged(self, stream=Stream.SAMPLES):
        return self.inbox.acknowledged(stream, self.outbox.epoch())


@pytest.fixture
def world():
    return World()


async def test_what_was_stored_is_acknowledged(world):
    for _ in range(3):
        world.outbox.commit()
    await world.send_once()
    assert world.acknowledged() == ((1, 4),)


async def test_what_is_acknowledged_is_not_read_again(world):
    world.outbox.commit()
    await world.send_once()
    world.outbox.commit()
    await world.send_once()
    assert world.outbox.read == [(Stream.SAMPLES, 1), (Stream.SAMPLES, 2)]


async def test_events_come_before_samples(world):
    world.outbox.commit()
    world.outbox.commit(Stream.EVENTS)
    await world.send_once()
    assert world.arrivals == [("events", 1), ("samples", 1)]


async def test_after_an_outage_the_newest_is_in_the_first_request(world):
    await world.send_once()
    for _ in range(200):
        world.outbox.commit()
        world.uplink.prepare()
    world.outbox.commit()
    await world.send_once()
    assert world.arrivals[:3] == [("samples", 201), ("samples", 1), ("samples", 2)]


async def test_after_a_failure_the_newest_is_in_the_first_request_even_if_it_was_tried(world):
    for _ in range(200):
        world.outbox.commit()
    world.transport.faults.append(LineDownError())
    await world.send_once()
    await world.send_once()
    assert world.arrivals[0] == ("samples", 200)


async def test_the_backlog_is_what_stays_behind_this_upload(world):
    for _ in range(100):
        world.outbox.commit()
    sending = world.uplink.prepare()
    left = 100 - len(sending.upload.batches)
    assert sending.upload.backlog.batches == sending.upload.backlog.samples == left
    assert sending.upload.backlog.oldest_us is not None


async def test_a_result_for_a_batch_that_was_not_sent_acknowledges_nothing(world):
    world.outbox.commit()
    foreign = [
        BatchResult("samples", EPOCH, 7, Outcome.STORED),
        BatchResult("samples", "another epoch", 1, Outcome.STORED),
        BatchResult("events", EPOCH, 1, Outcome.DUPLICATE),
    ]
    world.transport.replies.append(UploadReply(foreign))
    with pytest.raises(AnswerInvalidError, match="none of the batches"):
        await world.uplink.send(world.uplink.prepare())
    assert world.acknowledged() == world.acknowledged(Stream.EVENTS) == ()


async def test_a_refused_batch_is_not_acknowledged_and_not_sent_again(world):
    world.outbox.commit()
    refused = [BatchResult("samples", EPOCH, 1, Outcome.REFUSED, "invalid")]
    world.transport.replies.append(UploadReply(refused))
    await world.send_once()
    assert world.acknowledged() == ()
    assert world.status.refused == 1
    assert world.uplink.prepare().upload.batches == []


async def test_refused_batches_stay_in_the_backlog(world):
    for _ in range(2):
        world.outbox.commit()
    refused = [BatchResult("samples", EPOCH, seq, Outcome.REFUSED, "invalid") for seq in (1, 2)]
    world.transport.replies.append(UploadReply(refused))
    await world.send_once()
    world.outbox.commit()
    await world.send_once()
    backlog = world.uplink.prepare().upload.backlog
    assert (backlog.batches, backlog.samples, backlog.oldest_us) == (2, 2, 1_000_000)


async def test_a_clone_sends_nothing_until_it_has_another_epoch(world):
    world.outbox.commit()
    refused = [BatchResult("samples", EPOCH, 1, Outcome.REFUSED, "clone")]
    world.transport.replies.append(UploadReply(refused))
    await world.send_once()
    world.outbox.commit()
    assert world.status.clone
    assert world.uplink.prepare().upload.batches == []
    world.outbox.begin_anew("another epoch")
    world.outbox.commit()
    assert len(world.uplink.prepare().upload.batches) == 1
    assert not world.status.clone


async def test_a_batch_too_large_for_what_lies_between_does_not_hold_up_the_others(world):
    world.outbox.commit(payload=bytes(70_000))
    world.outbox.commit(payload=bytes(70_000))
    world.transport.faults.append(UploadTooLargeError())
    await world.send_once()
    await world.send_once()
    assert world.arrivals == [("samples", 1)]
    assert world.status.refused == 1


async def test_a_request_holds_no_more_bytes_than_the_pace_allows(world):
    for _ in range(20):
        world.outbox.commit(payload=bytes(10_000))
    assert len(world.uplink.prepare().upload.batches) == 6


async def test_a_quiet_gateway_says_every_few_seconds_that_it_lives(world):
    async with world.running():
        await world.clock.advance(4 * HEARTBEAT_S + 1)
    assert len(world.transport.books.uploads) == 5
    assert all(upload.batches == [] for upload in world.transport.books.uploads)


async def test_news_is_sent_at_the_next_look(world):
    async with world.running():
        await world.clock.advance(1)
        world.outbox.commit()
        await world.clock.advance(0.03)
        assert world.acknowledged() == ((1, 2),)


async def test_failures_are_waited_out_and_everything_arrives(world):
    world.outbox.commit()
    world.transport.faults.extend([LineDownError(), CloudFailedError(), LineDownError()])
    async with world.running():
        await world.clock.advance(60)
    assert world.acknowledged() == ((1, 2),)
    assert world.status.errors == 3
    assert world.status.connected


happenings = st.lists(
    st.sampled_from(["commit", "commit", "event", "send", "send", "lose", "cut", "restart"]),
    max_size=60,
)


@settings(max_examples=50)
@given(happenings)
def test_whatever_happens_each_batch_arrives_once(happened):
    asyncio.run(live_through(happened))


async def live_through(happened):
    world = World()
    committed = {Stream.SAMPLES: 0, Stream.EVENTS: 0}
    for what in happened:
        match what:
            case "commit" | "event":
                stream = Stream.EVENTS if what == "event" else Stream.SAMPLES
                committed[stream] = world.outbox.commit(stream)
            case "lose":
                world.transport.lost_answers = 1
            case "cut":
                world.transport.faults.append(LineDownError())
            case "restart":
                world.start()
            case _:
                await world.send_once()
    world.transport.faults.clear()
    world.transport.lost_answers = 0
    for _ in range(len(happened)):
        await world.send_once()
    for stream, last in committed.items():
        assert sorted(n for s, n in world.arrivals if s == stream) == list(range(1, last + 1))
        assert world.acknowledged(stream) == (((1, last + 1),) if last else ())
