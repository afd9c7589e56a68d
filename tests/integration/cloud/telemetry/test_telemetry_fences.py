"""Who may do what with samples: the tenant's own, read only, by the parent table alone."""

import time

import psycopg
import pytest

from cloud_api.db.session import copying
from cloud_sync.wire.samples import Sample

NOW = time.time_ns() // 1000
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
async def line(wire):
    made = await wire()
    await made.post(made.samples(Sample("pump/flow", NOW, 1.0), Sample("pump/flow", 0, 2.0)))
    return made


@pytest.mark.parametrize("table", ["sample", "sample_chunk", "latest", "batch", "stream"])
async def test_another_tenant_reads_nothing(database, line, add_tenant, table):
    query = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
    for tenant, least in ((line.gateway.tenant, 1), (await add_tenant("bolt"), 0)):
        async with database.transaction(tenant.id) as db:
            found = (await (await db.execute(query)).fetchone())[0]
            assert (found >= 1) == bool(least)


async def test_partition_is_not_read_directly(database, line):
    async with database.transaction(line.gateway.tenant.id) as db:
        with pytest.raises(DENIED):
            await db.execute("SELECT * FROM sample_chunk_odd")


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM sample_chunk", "UPDATE sample_chunk SET count = 0", "TRUNCATE sample_chunk",
     "INSERT INTO sample_chunk (tenant_id) VALUES (null)", "DELETE FROM gateway_event"],
)  # fmt: skip
async def test_history_is_not_changed_at_run_time(database, line, statement):
    async with database.transaction(line.gateway.tenant.id) as db:
        with pytest.raises(DENIED):
            await db.execute(statement)


@pytest.mark.parametrize("table", ["sample_chunk", "latest", "point", "gateway"])
async def test_ingest_role_appends_and_does_nothing_else(database, line, table):
    query = psycopg.sql.SQL("SELECT 1 FROM {}").format(psycopg.sql.Identifier(table))
    async with database.ingest(line.gateway.tenant.id) as db:
        with pytest.raises(DENIED):
            async with copying(db):
                await db.execute(query)


KEEP = "SELECT tidegate.keep_sample_partitions()"


async def test_days_get_their_partitions_once(own_database_dsn):
    days = "SELECT count(*) FROM pg_class WHERE relname ~ '^sample_chunk_[0-9]{8}$'"
    counts = []
    async with await psycopg.AsyncConnection.connect(own_database_dsn, autocommit=True) as owner:
        for _ in range(2):
            await owner.execute(KEEP)
            counts.append((await (await owner.execute(days)).fetchone())[0])
    assert counts == [5, 5]


async def test_runtime_may_ask_for_partitions(database):
    async with database.door() as db:
        await db.execute(KEEP)


async def test_day_that_began_in_the_odd_partition_stays_there(own_database_dsn):
    today = time.strftime("sample_chunk_%Y%m%d", time.gmtime())
    async with await psycopg.AsyncConnection.connect(own_database_dsn, autocommit=True) as owner:
        await owner.execute(
            psycopg.sql.SQL("DROP TABLE tidegate.{}").format(psycopg.sql.Identifier(today))
        )
        await owner.execute(
            "INSERT INTO tidegate.sample_chunk VALUES"
            " (gen_random_uuid(), 1, now(), now(), 1, '{0}', '{1.5}')"
        )
        await owner.execute(KEEP)
        rows = await owner.execute("SELECT tableoid::regclass::text FROM tidegate.sample_chunk")
        assert await rows.fetchall() == [("tidegate.sample_chunk_odd",)]
