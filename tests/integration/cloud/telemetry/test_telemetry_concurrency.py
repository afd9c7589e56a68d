"""Uploads that arrive at the same time, and more of them than there is room for."""

import asyncio
import time

import msgspec
import pytest

from cloud_api.errors import TooManyError
from cloud_api.telemetry.ingest import Ingest, IngestLimits
from cloud_sync.wire.samples import Sample
from cloud_sync.wire.uplink import Backlog, Upload

NOW = time.time_ns() // 1000


def upload(*batches):
    return msgspec.msgpack.encode(Upload(Backlog(0, 0), "1", list(batches)))


async def count(database, tenant):
    async with database.transaction(tenant.id) as db:
        return (await (await db.execute("SELECT count(*) FROM sample")).fetchone())[0]


async def test_same_upload_twice_at_once_is_stored_once(database, wire):
    line = await wire()
    ingest, body = Ingest(database), upload(line.samples(Sample("pump/flow", NOW, 1.0)))
    replies = await asyncio.gather(*(ingest.take(line.gateway.caller, body) for _ in range(6)))
    outcomes = sorted(result.outcome for reply in replies for result in reply.results)
    assert outcomes == ["duplicate"] * 5 + ["stored"]
    assert await count(database, line.gateway.tenant) == 1


async def test_uploads_of_many_gateways_do_not_wait_in_a_circle(database, wire, add_gateway):
    first = await wire()
    lines = [
        first,
        *[await wire(await add_gateway(first.gateway.tenant, f"c-{i}")) for i in range(3)],
    ]
    ingest = Ingest(database)
    await asyncio.gather(*(
        ingest.take(line.gateway.caller, upload(line.samples(
            *(Sample(f"pump/p{(i + turn) % 5}", NOW + i, 1.0) for i in range(5))
        )))
        for line in lines for turn in range(5)
    ))  # fmt: skip
    assert await count(database, first.gateway.tenant) == 4 * 5 * 5


async def test_upload_past_the_limit_is_sent_away_and_nothing_of_it_stored(database, wire):
    line = await wire()
    ingest = Ingest(database, limits=IngestLimits(running=1, waiting=1))
    bodies = [upload(line.samples(Sample("pump/flow", NOW + i, 1.0))) for i in range(4)]
    results = await asyncio.gather(
        *(ingest.take(line.gateway.caller, body) for body in bodies), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, TooManyError)]
    assert refused
    assert refused[0].headers == {"Retry-After": "1"}
    assert await count(database, line.gateway.tenant) == 4 - len(refused)


async def test_point_of_a_transaction_that_failed_is_not_remembered(database, wire):
    line = await wire()
    ingest = Ingest(database)
    event = line.event("odd", NOW)

    async def broken(*_):
        raise ZeroDivisionError

    ingest.handle("odd", broken)
    batch = line.samples(Sample("pump/flow", NOW, 1.0))
    with pytest.raises(ZeroDivisionError):
        await ingest.take(line.gateway.caller, upload(line.events(event), batch))
    assert await count(database, line.gateway.tenant) == 0
    reply = await ingest.take(line.gateway.caller, upload(batch))
    assert [result.outcome for result in reply.results] == ["stored"]
    assert await count(database, line.gateway.tenant) == 1
