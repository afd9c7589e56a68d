"""Gateways that do not know the time yet: what they sent is moved to where it belongs, once."""

from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest

from cloud_api.telemetry.clocks.repairing import repair_tenant
from cloud_api.telemetry.merging.merger import merge_tenant
from cloud_sync.wire.batch import ClockQuality, Seal, Stream, seal_batch
from cloud_sync.wire.events import ClockSpan, ClockSynchronised, Event, EventKind
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample, encode_samples

SECOND = 1_000_000
HOUR = 3600 * SECOND
SAMPLES = "SELECT key, time, value, reason FROM sample JOIN point ON id = point_id ORDER BY 1, 2, 3"
CHUNKS = "SELECT clock, boot, count FROM sample_chunk ORDER BY 1, 2, 3"
BATCHES = "SELECT first_at, last_at, clock, late FROM batch WHERE stream = 'samples' ORDER BY seq"
UNSYNCHRONISED, REPAIRED = "clock_unsynchronised", "clock_repaired"


class Young:
    """A gateway that started in 1970; its true start was ``hours`` ago."""

    def __init__(self, database, line, hours=5, boot="boot-1"):
        self.database, self.line, self.tenant = database, line, line.gateway.tenant.id
        self.start = line.now // HOUR * HOUR - hours * HOUR
        self.boot, self.seqs = boot, line.numbers.setdefault("clocks", count(1))

    def batch(self, *values, believed=0, quality=ClockQuality.UNSYNCHRONISED, **fields):
        """A batch of samples, each read at a monotonic time in seconds, which is its value."""
        samples = [
            Sample(fields.get("key", "pump/flow"), believed + value * SECOND, value, **{
                k: v for k, v in fields.items() if k in Sample._fields
            })
            for value in values
        ]  # fmt: skip
        return self.seal(samples, values[-1], quality)

    def seal(self, samples, at, quality=ClockQuality.UNSYNCHRONISED):
        times = [s.received_us for s in samples]
        seal = Seal(
            Stream.SAMPLES, self.line.epoch, next(self.seqs), self.boot, at * SECOND, quality
        )
        return seal_batch(
            seal, count=len(samples), first_us=min(times), last_us=max(times),
            payload=encode_samples(samples),
        )  # fmt: skip

    def synchronised(self, *spans, name="clock-1", offset=None):
        """The event that tells how far each span (from, to, believed offset; in seconds) was off."""
        found = [ClockSpan(*(n * SECOND for n in span)) for span in spans or [(0, 3600, 0)]]
        body = ClockSynchronised(self.boot, self.start if offset is None else offset, found)
        event = Event(name, EventKind.CLOCK_SYNCHRONISED, self.line.now, msgspec.to_builtins(body))
        return self.line.events(event)

    async def post(self, *batches):
        results = await self.line.post(*batches)
        assert {outcome for outcome, _ in results} <= {"stored", "duplicate"}

    async def repair(self):
        return await repair_tenant(self.database, self.tenant)

    async def merge(self):
        later = datetime.now(UTC) + timedelta(minutes=5)
        assert not await merge_tenant(self.database, self.tenant, later)

    async def read(self, query=SAMPLES):
        async with self.database.transaction(self.tenant) as db:
            return await (await db.execute(query)).fetchall()

    async def shown(self):
        """Value, true time in seconds since the start, and reason of every sample."""
        return [
            (value, round(time.timestamp() - self.start / SECOND), reason)
            for _, time, value, reason in await self.read()
        ]


@pytest.fixture
async def young(database, wire):
    return Young(database, await wire())


async def test_before_it_is_known_a_sample_says_that_its_time_is_in_doubt(young):
    await young.post(young.batch(1, 2))
    assert await young.repair() == 0
    times = [(time, reason) for _, time, _, reason in await young.read()]
    assert times == [
        (datetime(1970, 1, 1, 0, 0, second, tzinfo=UTC), UNSYNCHRONISED) for second in (1, 2)
    ]


@pytest.mark.parametrize("order", ["before", "after", "together", "between"])
async def test_times_are_repaired_whenever_the_event_comes(young, order):
    first, second, event = young.batch(1, 2), young.batch(3), young.synchronised()
    uploads = {
        "before": [[event], [first, second]],
        "after": [[first, second], [event]],
        "together": [[first, second, event]],
        "between": [[first], [event], [second]],
    }
    for upload in uploads[order]:
        await young.post(*upload)
        await young.repair()
    assert await young.shown() == [(n, n, REPAIRED) for n in (1, 2, 3)]


async def test_they_are_repaired_once(young):
    batch, event = young.batch(1, 2), young.synchronised()
    for _ in range(2):
        await young.post(batch, event)
        await young.repair()
    await young.post(young.synchronised(name="clock-2"))
    assert await young.repair() == 0
    assert await young.shown() == [(1, 1, REPAIRED), (2, 2, REPAIRED)]


async def test_joined_chunks_are_repaired_too(young):
    for value in (1, 2, 3):
        await young.post(young.batch(value))
    await young.merge()
    assert await young.read(CHUNKS) == [(1, "boot-1", 3)]
    await young.post(young.synchronised())
    assert await young.repair() == 3
    await young.post(young.batch(9, quality=ClockQuality.SYNCHRONISED, believed=young.start))
    await young.merge()
    assert await young.read(CHUNKS) == [(0, None, 1), (2, None, 3)]
    assert await young.shown() == [*((n, n, REPAIRED) for n in (1, 2, 3)), (9, 9, "")]


async def test_each_boot_has_a_clock_of_its_own(young):
    other = Young(young.database, young.line, hours=2, boot="boot-2")
    await young.post(young.batch(1), other.batch(2), other.synchronised(name="clock-2"))
    await young.repair()
    assert [(value, reason) for _, _, value, reason in await young.read()] == [
        (1, UNSYNCHRONISED), (2, REPAIRED),
    ]  # fmt: skip
    assert (await young.read())[1][1].timestamp() == other.start / SECOND + 2


async def test_each_span_is_shifted_by_its_own_error(young):
    await young.post(young.batch(1, 2), young.batch(11, 12, believed=500_000 * SECOND))
    await young.merge()
    await young.post(young.synchronised((0, 10, 0), (10, 20, 500_000)))
    await young.repair()
    assert await young.shown() == [(n, n, REPAIRED) for n in (1, 2, 11, 12)]


async def test_what_no_span_covers_stays_in_doubt(young):
    await young.post(young.batch(1), young.batch(5000), young.synchronised((0, 10, 0)))
    await young.repair()
    assert [reason for *_, reason in await young.read()] == [UNSYNCHRONISED, REPAIRED]
    assert await young.repair() == 0


async def test_a_clock_that_was_right_all_along_leaves_nothing_to_say(young):
    await young.post(
        young.batch(1, believed=young.start + 200_000),
        young.synchronised((0, 3600, young.start // SECOND)),
    )
    await young.repair()
    assert await young.shown() == [(1, 1, "")]


async def test_a_live_batch_whose_time_is_right_is_not_in_doubt(young):
    await young.post(young.batch(1, believed=young.line.now - SECOND))
    assert [reason for *_, reason in await young.read()] == [""]


async def test_the_devices_own_time_is_left_alone(young):
    sourced = Sample("pump/flow", 5 * SECOND, 5, source_us=young.start + 5 * SECOND)
    own = Sample("pump/flow", 6 * SECOND, 6)
    await young.post(young.seal([sourced, own], 6), young.synchronised())
    await young.repair()
    assert await young.shown() == [(5, 5, ""), (6, 6, REPAIRED)]


async def test_a_bad_sample_keeps_its_reason_and_moves(young):
    bad = Sample("pump/flow", 5 * SECOND, None, Quality.BAD, "no_answer")
    await young.post(young.seal([bad, Sample("pump/state", 5 * SECOND, "open")], 5))
    await young.post(young.synchronised())
    await young.repair()
    assert await young.shown() == [(None, 5, "no_answer"), (None, 5, REPAIRED)]


async def test_samples_land_in_the_hours_that_they_belong_to(young):
    young.start += HOUR - 2 * SECOND
    await young.post(young.batch(1, 2, 3), young.synchronised())
    await young.repair()
    assert await young.read(CHUNKS) == [(2, None, 1), (2, None, 2)]
    assert await young.shown() == [(n, n, REPAIRED) for n in (1, 2, 3)]


async def test_the_newest_sample_is_shown_at_its_true_time(young):
    await young.post(young.batch(1, 2))
    latest = "SELECT time, value, reason, good_at FROM latest"
    assert (await young.read(latest))[0][2] == UNSYNCHRONISED
    await young.post(young.synchronised())
    await young.repair()
    true = datetime.fromtimestamp(young.start / SECOND + 2, UTC)
    assert await young.read(latest) == [(true, 2.0, REPAIRED, true)]


async def test_what_came_later_stays_the_newest(young):
    await young.post(
        young.batch(1), young.batch(9, quality=ClockQuality.SYNCHRONISED, believed=young.start)
    )
    await young.post(young.synchronised())
    await young.repair()
    assert [row[1:] for row in await young.read("SELECT time, value, reason FROM latest")] == [
        (9.0, "")
    ]


async def test_batches_name_their_true_times(young):
    await young.post(young.batch(1, 2), young.synchronised())
    await young.repair()
    [(first, last, clock, late)] = await young.read(BATCHES)
    assert (first.timestamp(), last.timestamp()) == (
        young.start / SECOND + 1, young.start / SECOND + 2,
    )  # fmt: skip
    assert (clock, late) == (2, True)


async def test_a_gateway_cannot_move_the_samples_of_another(young, add_gateway, wire):
    other = Young(
        young.database,
        await wire(await add_gateway(young.line.gateway.tenant, "cellar-2")),
        hours=2,
    )
    await young.post(young.batch(1))
    await other.post(other.synchronised())
    assert await young.repair() == 0


@pytest.mark.parametrize(
    "change", [{"boot": ""}, {"spans": []}, {"offset_us": 1 << 62}, {"boot": "b" * 65}]
)
async def test_a_clock_outside_the_limits_is_not_noted(young, change):
    body = {"boot": "boot-1", "offset_us": 1, "spans": [{"from_us": 0, "to_us": 1, "offset_us": 0}]}
    await young.line.post(
        young.line.events(Event("x", EventKind.CLOCK_SYNCHRONISED, young.line.now, body | change))
    )
    assert await young.read("SELECT count(*) FROM clock_repair") == [(0,)]


async def test_a_chart_says_where_times_were_repaired(young, client):
    await young.post(young.batch(1, 2, 3), young.synchronised())
    await young.repair()
    [(point,)] = await young.read("SELECT id FROM point WHERE key = 'pump/flow'")
    start, end = (
        datetime.fromtimestamp(young.start / SECOND + s, UTC).isoformat() for s in (0, 60)
    )
    answer = await client.get(
        f"/v1/points/{point}/history",
        params={"from": start, "to": end, "buckets": 60},
        headers=young.line.gateway.tenant.headers,
    )
    spans = {span["kind"]: span["reason"] for span in answer.json()["spans"]}
    assert answer.json()["last"] == [1, 2, 3]
    assert spans["clock"] == REPAIRED
