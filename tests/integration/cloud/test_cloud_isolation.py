"""The flagship: every route of the application, asked by one tenant for another's things.

Routes and their slots are read off the application, so a new route takes part by existing. Oracles:
a foreign id is answered exactly like a random one; nothing of the other tenant is in any byte; the
other tenant's rows do not change. As a control, the same calls work for the owner.
"""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from uuid import uuid4

import httpx
import msgspec
import psycopg
import pytest

from cloud_api.access.audience import Audience, classify
from cloud_sync.wire import paths
from cloud_sync.wire.events import AlertRaised, DeviceDeclared, EventKind, PointDeclared
from cloud_sync.wire.samples import Sample

STREAMS = {"/v1/live", paths.DOWNLINK}
CANARY = "canary"


@dataclass(frozen=True)
class World:
    """A tenant with one of everything."""

    tenant: object
    gateway: object
    ids: dict[str, str]
    canaries: tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """A call: method, path, and its slots in path and query."""

    method: str
    path: str
    slots: tuple[str, ...]

    def __str__(self):
        return f"{self.method} {self.path}"


@pytest.fixture
def build(add_tenant, add_gateway, wire, client):
    async def made(name):
        tenant = await add_tenant(name)
        gateway = await add_gateway(tenant, f"{name}-gateway")
        line = await wire(gateway)
        now_us = time.time_ns() // 1000
        point = PointDeclared(f"{name}_load", "float", description=f"{name} description")
        device = DeviceDeclared(f"{name}-feeder", "modbus", f"{name}:502", points=[point])
        key = f"{device.name}/{point.name}"
        raised = AlertRaised(f"{name}-{uuid4().hex}"[:60], f"{name} rule", key, "high", f"{name} !")
        await line.post(
            line.events(
                line.event(
                    EventKind.POINTS_DECLARED, now_us, devices=msgspec.to_builtins([device])
                ),
                line.event(EventKind.ALERT_RAISED, now_us, **msgspec.to_builtins(raised)),
            ),
            line.samples(Sample(key, now_us, 4711.25)),
        )
        command = await client.post(
            f"/v1/gateways/{gateway.id}/commands",
            json={"name": "refresh"},
            headers=tenant.headers | {"Idempotency-Key": name},
        )
        device_id, point_id = await _numbers(client, tenant, gateway)
        ids = {
            "site": str(tenant.site),
            "gateway": str(gateway.id),
            "device": device_id,
            "point": point_id,
            "document": command.json()["id"],
        }
        return World(tenant, gateway, ids, (name, ids["gateway"], ids["site"], ids["device"]))

    return made


async def _numbers(client, tenant, gateway):
    detail = await client.get(f"/v1/gateways/{gateway.id}", headers=tenant.headers)
    device = detail.json()["device_list"][0]["id"]
    shown = await client.get(f"/v1/devices/{device}", headers=tenant.headers)
    return device, shown.json()["point_list"][0]["id"]


def operations(app, audience):
    """Every call of an audience: method, path, and which of its slots take ids."""
    described = app.openapi()["paths"]
    for route in classify(app):
        if route.audience is audience and route.path not in STREAMS:
            for method in route.methods:
                parameters = described[route.path][method.lower()].get("parameters", ())
                slots = [p["name"] for p in parameters if p["in"] in {"path", "query"}]
                yield Operation(method, route.path, tuple(slots))


async def call(client, operation, ids, headers):
    path = operation.path
    used = {name: ids[name] for name in operation.slots if name in ids}
    query = {name: value for name, value in used.items() if f"{{{name}}}" not in path}
    if path.endswith("/history"):
        query |= {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    body = {"name": "refresh"} if path.endswith("/commands") else {}
    return await client.request(
        operation.method,
        path.format_map(used),
        params=query,
        json=body if operation.method == "POST" else None,
        headers=headers | {"Idempotency-Key": "same"},
    )


def random_ids():
    ids = {name: str(uuid4()) for name in ("site", "gateway", "device", "document")}
    return ids | {"point": "987654321987"}


async def rows_of(dsn, tenant):
    """A hash over everything that a tenant has, read past all fences."""
    digest = hashlib.sha256()
    async with await psycopg.AsyncConnection.connect(dsn) as owner:
        tables = await owner.execute(
            """
            SELECT c.relname FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid
            WHERE relnamespace = 'tidegate'::regnamespace AND attname = 'tenant_id'
              AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
            """
        )
        for (table,) in await tables.fetchall():
            statement = psycopg.sql.SQL(
                "SELECT t::text FROM tidegate.{} AS t WHERE tenant_id = %s ORDER BY 1"
            ).format(psycopg.sql.Identifier(table))
            found = await owner.execute(statement, (tenant,))
            digest.update(str(await found.fetchall()).encode())
    return digest.hexdigest()


async def test_another_tenants_ids_answer_like_random_ones_and_give_nothing_away(
    app, client, build, database_dsn
):
    mine, theirs = await build("acme"), await build(CANARY)
    before = await rows_of(database_dsn, theirs.tenant.id)
    tried = 0
    for operation in operations(app, Audience.PERSON):
        headers = mine.tenant.headers
        if operation.path == "/v1/session":
            continue
        foreign = await call(client, operation, theirs.ids, headers)
        unknown = await call(client, operation, random_ids(), headers)
        where = str(operation)
        assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content), (
            where
        )
        if set(operation.slots) & set(theirs.ids):
            tried += 1
            assert foreign.status_code == 404 or foreign.json() in EMPTY, where
        for canary in theirs.canaries:
            assert canary.encode() not in foreign.content, where
            assert canary not in str(foreign.headers), where
    assert tried >= 9
    assert await rows_of(database_dsn, theirs.tenant.id) == before


EMPTY = ({"gateways": []}, {"alerts": [], "next_cursor": None}, {"commands": []})


async def test_one_foreign_id_among_own_ones_is_not_found_either(app, client, build):
    mine, theirs = await build("acme"), await build(CANARY)
    for operation in operations(app, Audience.PERSON):
        for slot in set(operation.slots) & set(theirs.ids):
            ids = mine.ids | {slot: theirs.ids[slot]}
            answer = await call(client, operation, ids, mine.tenant.headers)
            assert answer.status_code == 404 or answer.json() in EMPTY, f"{operation} {slot}"


async def test_the_same_calls_work_for_the_owner(app, client, build):
    theirs = await build(CANARY)
    for operation in operations(app, Audience.PERSON):
        if operation.path == "/v1/session":
            continue
        answer = await call(client, operation, theirs.ids, theirs.tenant.headers)
        assert answer.status_code in {200, 201}, f"{operation}: {answer.text}"
        if not operation.path.endswith(("/claims", "/history")):
            assert any(canary in answer.text for canary in theirs.canaries), str(operation)


async def test_a_gateway_reaches_nothing_of_another_tenant(app, client, build, database_dsn):
    mine, theirs = await build("acme"), await build(CANARY)
    before = await rows_of(database_dsn, theirs.tenant.id)
    for operation in operations(app, Audience.GATEWAY):
        headers = mine.gateway.headers
        foreign = await call(client, operation, theirs.ids, headers)
        unknown = await call(client, operation, random_ids(), headers)
        assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)
        assert not any(canary.encode() in foreign.content for canary in theirs.canaries)
    assert await rows_of(database_dsn, theirs.tenant.id) == before


async def test_an_upload_names_points_of_its_own_gateway_only(client, build, wire, database_dsn):
    mine, theirs = await build("acme"), await build(CANARY)
    before = await rows_of(database_dsn, theirs.tenant.id)
    line = await wire(mine.gateway)
    line.epoch = "fedcba9876543210"
    key = f"{CANARY}-feeder/{CANARY}_load"
    assert await line.post(line.samples(Sample(key, time.time_ns() // 1000, 1.5)))
    assert await rows_of(database_dsn, theirs.tenant.id) == before


async def test_without_a_credential_every_protected_route_is_shut(app, client, build):
    theirs = await build(CANARY)
    shut = [r for r in classify(app) if r.audience in {Audience.PERSON, Audience.GATEWAY}]
    assert len(shut) >= 15
    for route in shut:
        for method in route.methods:
            path = route.path.format_map(theirs.ids)
            answer = await client.request(method, path, headers={"Tidegate-CSRF": "1"})
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.json()["code"] == "not-signed-in"


async def test_the_live_feed_carries_the_own_tenants_events_only(served, build, wire):
    mine, theirs = await build("acme"), await build(CANARY)
    seen = b""

    async def watch(started):
        nonlocal seen
        async with (
            asyncio.timeout(10),
            httpx.AsyncClient() as http,  # noqa: TID251 - loopback
            http.stream("GET", f"{served}/v1/live", headers=mine.tenant.headers) as answer,
        ):
            async for piece in answer.aiter_bytes():
                seen += piece
                started.set()
                if b"event: values" in seen:
                    return

    started = asyncio.Event()
    watching = asyncio.create_task(watch(started))
    await started.wait()
    for world, name in ((theirs, CANARY), (mine, "acme")):
        line = await wire(world.gateway)
        line.epoch = "fedcba9876543210"
        key = f"{name}-feeder/{name}_load"
        await line.post(line.samples(Sample(key, time.time_ns() // 1000, 8.5)))
    await watching
    assert f'"{mine.ids["point"]}"'.encode() in seen
    assert not any(canary.encode() in seen for canary in theirs.canaries)
