"""Chunks joined in the background: the same samples in fewer chunks, whatever happens meanwhile."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from cloud_api.db.pool import role_dsn
from cloud_api.db.roles import APP
from cloud_api.db.session import copying
from cloud_api.telemetry.merging.merger import merge_some, merge_tenant
from cloud_api.telemetry.merging.queries import ADVISORY_LOCK
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample

SECOND = 1_000_000
HOUR = 3600 * SECOND
SAMPLES = (
    "SELECT point_id, time, value, text, quality, reason FROM sample ORDER BY 1, 2, 3, 4, 5, 6"
)
CHUNKS = "SELECT tier, count(*), sum(count)::int FROM sample_chunk GROUP BY 1 ORDER BY 1"

JOIN_ALL = (
    "SELECT join_chunks(point_id, min(first), max(first), 2::smallint, 0)"
    " FROM sample_chunk GROUP BY point_id"
)


class Store:
    """The history of one gateway; ``hour`` is in µs the start of an hour that is over."""

    def __init__(self, database, line):
        self.database, self.line, self.tenant = database, line, line.gateway.tenant.id
        self.hour = line.now // HOUR * HOUR - 3 * HOUR

    async def read(self, query=SAMPLES, tenant=None):
        async with self.database.transaction(tenant or self.tenant) as db:
            return await (await db.execute(query)).fetchall()

    async def put(self, *samples, key="pump/flow"):
        """Upload samples at seconds of the hour, each a chunk of its own."""
        for us, value in samples:
            await self.line.post(self.line.samples(Sample(key, self.hour + us, value)))

    async def merge(self, *, minutes=5, tenant=None):
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        assert not await merge_tenant(self.database, tenant or self.tenant, later)


@pytest.fixture
async def store(database, wire):
    return Store(database, await wire())


def odd_samples(rng, hour, size):
    """Make samples of all kinds: bad, uncertain, text, of equal times, of two hours."""
    for _ in range(size):
        us = hour + rng.choice([0, 1, 1, HOUR - 1, HOUR, rng.randrange(2 * HOUR)])
        quality, reason = rng.choice(
            [(Quality.GOOD, ""), (Quality.UNCERTAIN, "stale"), (Quality.BAD, "no_answer")]
        )
        key, value = rng.choice([
            ("pump/flow", rng.choice([0.0, -0.0, 1.5, float("inf"), rng.gauss(0, 1e9)])),
            ("pump/state", rng.choice(["", "up", "dö\u2713wn"])), ("pump/on", rng.random() < 0.5),
        ])  # fmt: skip
        yield Sample(key, us, None if quality is Quality.BAD else value, quality, reason)


@pytest.mark.parametrize("seed", range(6))
async def test_samples_are_the_same_before_and_after(store, seed):
    rng = random.Random(seed)
    for _ in range(4):
        for _ in range(rng.randrange(1, 12)):
            batch = odd_samples(rng, store.hour, rng.randrange(1, 9))
            await store.line.post(store.line.samples(*batch))
        before = await store.read()
        await store.merge()
        assert await store.read() == before
    [(tier, chunks, samples)] = await store.read(CHUNKS)
    assert (tier, samples) == (2, len(before))
    assert chunks <= 3 * 2 * 6


async def test_hour_that_is_over_becomes_one_chunk(store):
    await store.put(*((i * SECOND, float(i)) for i in range(5)))
    await store.merge()
    assert await store.read(CHUNKS) == [(2, 1, 5)]


async def test_hour_is_left_alone_until_nothing_has_come_for_a_while(store):
    await store.put((0, 1.0), (1, 2.0))
    await store.merge(minutes=0)
    assert await store.read(CHUNKS) == [(0, 2, 2)]


async def test_hour_that_runs_is_joined_once_it_has_many_chunks(store):
    store.hour = store.line.now // HOUR * HOUR + HOUR
    await store.put(*((i, 1.0) for i in range(59)))
    await store.merge()
    assert await store.read(CHUNKS) == [(0, 59, 59)]
    await store.put((99, 1.0))
    await store.merge()
    assert await store.read(CHUNKS) == [(1, 1, 60)]


async def test_chunks_never_cross_an_hour_nor_two_points(store):
    await store.put((0, 1.0), (HOUR - 1, 2.0), (HOUR, 3.0), (HOUR + 1, 4.0))
    await store.put((0, True), key="pump/on")
    await store.merge()
    assert await store.read(CHUNKS) == [(2, 3, 5)]


async def test_late_sample_does_not_write_the_hour_again(store):
    await store.put(*((i, 1.0) for i in range(8)))
    await store.merge()
    await store.put((3, 2.0))
    await store.merge()
    assert await store.read(CHUNKS) == [(2, 2, 9)]


async def test_late_samples_one_by_one_leave_few_chunks(store):
    for i in range(12):
        await store.put((i, 1.0))
        await store.merge()
    [(tier, chunks, samples)] = await store.read(CHUNKS)
    assert (tier, samples) == (2, 12)
    assert chunks <= 4


async def test_chunk_that_arrives_meanwhile_stays(store):
    await store.put((0, 1.0), (1, 2.0))
    [(point,)] = await store.read("SELECT max(point_id) FROM sample_chunk")
    first = datetime.fromtimestamp(store.hour / 1e6, UTC)
    async with store.database.ingest(store.tenant) as db:
        async with copying(db):
            await db.execute(
                """INSERT INTO sample_chunk (tenant_id, point_id, first, last, count, times, values)
                VALUES (%s, %s, %s, %s, 1, %s, '{3}')""",
                (store.tenant, point, first, first, [store.hour]),
            )
        await store.merge()
    assert await store.read(CHUNKS) == [(0, 1, 1), (2, 1, 2)]


async def test_reader_in_the_middle_sees_all_of_it_once(store):
    await store.put(*((i, float(i)) for i in range(4)))
    before = await store.read()
    async with store.database.transaction(store.tenant) as merging:
        await merging.execute(JOIN_ALL)
        assert await store.read() == before
    assert await store.read() == before


async def test_uploads_and_merges_at_once_lose_nothing(store):
    store.hour = store.line.now // HOUR * HOUR
    done = asyncio.Event()

    async def merging():
        while not done.is_set():
            await merge_some(store.database, store.tenant, datetime.now(UTC))
            await asyncio.sleep(0)

    task = asyncio.create_task(merging())
    for start in range(0, 200, 2):
        await store.put((start, float(start)), (start + 1, float(start + 1)))
    done.set()
    await task
    assert [row[2] for row in await store.read()] == [float(i) for i in range(200)]
    tiers = {tier: chunks for tier, chunks, _ in await store.read(CHUNKS)}
    assert tiers[1] >= 2


async def test_merger_that_is_killed_in_the_middle_changes_nothing(store, database_dsn):
    await store.put((0, 1.0), (1, 2.0))
    async with await psycopg.AsyncConnection.connect(role_dsn(database_dsn, APP)) as killed:
        await killed.execute("SELECT tidegate.set_tenant(%s)", (store.tenant,))
        await killed.execute(JOIN_ALL)
        killed.pgconn.finish()
    assert await store.read(CHUNKS) == [(0, 2, 2)]


async def test_second_process_leaves_it_to_the_first(store):
    await store.put((0, 1.0), (1, 2.0))
    async with store.database.transaction(store.tenant) as other:
        await other.execute("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
        await store.merge()
    assert await store.read(CHUNKS) == [(0, 2, 2)]


async def test_another_tenant_joins_nothing_of_ours(store, add_tenant):
    await store.put((0, 1.0), (1, 2.0))
    [(point,)] = await store.read("SELECT max(point_id) FROM sample_chunk")
    bolt = (await add_tenant("bolt")).id
    await store.merge(tenant=bolt)
    low = datetime(2000, 1, 1, tzinfo=UTC)
    async with store.database.transaction(bolt) as db:
        for hours in range(2):
            await db.execute(
                "SELECT join_chunks(%s, %s, %s, 2::smallint, 100)",
                (point, low, low + timedelta(hours=hours)),
            )
    assert await store.read(CHUNKS) == [(0, 2, 2)]


async def test_nobody_joins_without_a_tenant(store):
    with pytest.raises(psycopg.errors.DataError):
        async with store.database.door() as db:
            await db.execute("SELECT join_chunks(1, now(), now(), 2::smallint, 0)")
