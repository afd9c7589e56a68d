"""An outage of the line, noted when the gateway speaks again."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cloud_api.telemetry.ingest import Ingest
from cloud_sync.wire.samples import Sample
from cloud_sync.wire.uplink import Backlog, Upload

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEARTBEAT = msgspec.msgpack.encode(Upload(Backlog(0, 0), "1", []))


class Contacts:
    """Uploads of one gateway at given seconds after noon."""

    def __init__(self, database, caller):
        self.database, self.caller, self.at = database, caller, 0.0
        self.ingest = Ingest(database, now=lambda: NOON + timedelta(seconds=self.at))

    async def speak(self, *seconds):
        for self.at in seconds:
            await self.ingest.take(self.caller, HEARTBEAT)

    async def outages(self, tenant=None):
        async with self.database.transaction(tenant or self.caller.tenant) as db:
            rows = await db.execute("SELECT began_at, ended_at FROM outage ORDER BY 1")
            return [
                tuple((time - NOON).total_seconds() for time in row)
                for row in await rows.fetchall()
            ]


@pytest.fixture
async def contacts(database, add_tenant, add_gateway):
    gateway = await add_gateway(await add_tenant())
    return Contacts(database, gateway.caller)


async def test_outage_lasts_from_the_last_contact_to_the_next(contacts):
    await contacts.speak(0, 5, 20, 40, 41)
    assert await contacts.outages() == [(20, 40)]


async def test_first_contact_ends_no_outage(contacts):
    await contacts.speak(100)
    assert await contacts.outages() == []


async def test_outage_is_noted_once_when_many_speak_at_once(contacts):
    await contacts.speak(0)
    contacts.at = 60.0
    await asyncio.gather(
        *(contacts.ingest.take(contacts.caller, HEARTBEAT) for _ in range(4)),
    )
    assert await contacts.outages() == [(0, 60)]


async def test_outages_are_of_their_tenant(contacts, add_tenant):
    await contacts.speak(0, 60)
    assert await contacts.outages((await add_tenant("bolt")).id) == []


async def test_oldest_outages_are_forgotten(contacts, monkeypatch):
    monkeypatch.setattr("cloud_api.registry.queries.MAX_OUTAGES", 2)
    await contacts.speak(*range(0, 180, 30))
    assert await contacts.outages() == [(90, 120), (120, 150)]


async def test_chart_shows_the_outage_and_what_came_late(client, database, wire):
    line = await wire()
    outage = Contacts(database, line.gateway.caller)
    read = round((NOON + timedelta(seconds=30)).timestamp() * 1e6)
    late = msgspec.msgpack.encode(
        Upload(Backlog(0, 0), "1", [line.samples(Sample("pump/flow", read, 1.0))])
    )
    await outage.speak(0)
    outage.at = 60.0
    await outage.ingest.take(outage.caller, late)
    async with database.transaction(outage.caller.tenant) as db:
        point = (await (await db.execute("SELECT max(id) FROM point")).fetchone())[0]
    answer = await client.get(
        f"/v1/points/{point}/history",
        params={"from": NOON.isoformat(), "to": (NOON + timedelta(minutes=2)).isoformat()},
        headers=line.gateway.tenant.headers,
    )
    spans = [(s["kind"], s["from"][11:], s["to"][11:], s["reason"]) for s in answer.json()["spans"]]
    assert ("outage", "12:00:00Z", "12:01:00Z", "no contact with the gateway") in spans
    assert ("backfilled", "12:00:30Z", "12:00:30Z", "") in spans
