"""The live feed over a real connection."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import pytest

from cloud_sync.wire.events import EventKind
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample

DEADLINE_S = 5


class Watched:
    """Events of an open feed, as (event, data, cursor)."""

    def __init__(self, lines):
        self._lines = lines

    async def next(self, *wanted):
        async with asyncio.timeout(DEADLINE_S):
            while True:
                event = await self._event()
                if not wanted or event[0] in wanted:
                    return event

    async def _event(self):
        found = {}
        async for line in self._lines:
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                found[name] = value
            elif found:
                return found["event"], json.loads(found["data"]), int(found.get("id", -1))
        raise EOFError


@pytest.fixture
def watching(served):
    @asynccontextmanager
    async def opened(tenant, **headers):
        async with (
            httpx.AsyncClient(base_url=served) as http,  # noqa: TID251 - plain loopback
            http.stream("GET", "/v1/live", headers=tenant.headers | headers) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Watched(answer.aiter_lines())

    return opened


async def test_values_are_seen_as_they_come(wire, watching):
    line = await wire()
    async with watching(line.gateway.tenant) as feed:
        assert (await feed.next())[0] == "hello"
        await line.post(line.samples(
            Sample("pump/flow", line.now, 1.0), Sample("pump/flow", line.now + 1000, 2.5),
            Sample("pump/on", line.now, True), Sample("pump/state", line.now, None, Quality.BAD, "no_answer"),
        ))  # fmt: skip
        _, data, _ = await feed.next("values")
        assert (data["gateway"], data["late"]) == (str(line.gateway.id), False)
        assert sorted((point[1:] for point in data["points"]), key=str) == [
            [line.now // 1000, None, "bad", "no_answer"],
            [line.now // 1000, True, "good", ""],
            [line.now // 1000 + 1, 2.5, "good", ""],
        ]
        assert all(isinstance(point[0], str) for point in data["points"])


async def test_old_samples_are_called_late(wire, watching):
    line = await wire()
    async with watching(line.gateway.tenant) as feed:
        await feed.next("hello")
        await line.post(line.samples(Sample("pump/flow", line.now - 60_000_000, 1.0)))
        assert (await feed.next("values"))[1]["late"]


async def test_everything_else_is_shown_as_elsewhere(client, wire, watching):
    line = await wire()
    tenant, alert = line.gateway.tenant, {"alert": "a", "rule": "r", "point": "pump/flow"}
    async with watching(tenant) as feed:
        await feed.next("hello")
        await line.post(line.events(
            line.declaration(line.now),
            line.event(EventKind.ALERT_RAISED, line.now, **alert, priority="low", message="m"),
        ))  # fmt: skip
        seen = {}
        while {"device", "alert", "gateway"} - set(seen):
            event, data, _ = await feed.next()
            seen[event] = data
    assert seen["device"]["points"]["total"] == 3
    assert (seen["gateway"]["state"], seen["gateway"]["alerts"]) == ("live", 1)
    listed = (await client.get("/v1/alerts", headers=tenant.headers)).json()["alerts"]
    assert listed == [seen["alert"]]


async def test_command_is_seen_with_its_gateway(client, wire, watching):
    gateway = (await wire()).gateway
    async with watching(gateway.tenant) as feed:
        await feed.next("hello")
        headers = gateway.tenant.headers | {"Idempotency-Key": "k"}
        await client.post(
            f"/v1/gateways/{gateway.id}/commands", json={"name": "refresh"}, headers=headers
        )
        data = (await feed.next("command"))[1]
    assert (data["state"], data["gateway"]) == ("queued", {"id": str(gateway.id)})


async def test_one_who_slept_misses_nothing(wire, watching):
    line = await wire()
    async with watching(line.gateway.tenant) as feed:
        cursor = (await feed.next("hello"))[2]
    await line.post(line.samples(Sample("pump/flow", line.now, 7.0)))
    async with watching(line.gateway.tenant, **{"Last-Event-ID": str(cursor)}) as feed:
        assert (await feed.next("values"))[1]["points"][0][2] == 7.0


async def test_unknown_cursor_is_reset(add_tenant, watching):
    async with watching(await add_tenant(), **{"Last-Event-ID": "12"}) as feed:
        assert [(await feed.next())[0] for _ in range(2)] == ["reset", "hello"]


async def test_another_tenant_sees_nothing(wire, add_tenant, watching):
    line = await wire()
    async with watching(await add_tenant("bolt")) as other, watching(line.gateway.tenant) as own:
        await other.next("hello")
        await line.post(line.samples(Sample("pump/flow", line.now, 7.0)))
        await own.next("values")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await other.next()


async def test_feeds_end_when_the_process_stops(app, add_tenant, watching):
    async with watching(await add_tenant()) as feed:
        await feed.next("hello")
        app.state.stopping.set()
        with pytest.raises(EOFError):
            await feed.next()


async def test_feed_without_a_session_is_refused(client):
    assert (await client.get("/v1/live")).status_code == 401
