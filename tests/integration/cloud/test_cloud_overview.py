"""Sites, gateways, devices and points as people see them, after a gateway spoke."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.access.dependencies import now
from cloud_api.errors import MessageRefusedError
from cloud_api.registry import service as registry
from cloud_sync.wire.events import DeviceDeclared, PointDeclared, PointsDeclared
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample
from cloud_sync.wire.uplink import Backlog


@pytest.fixture
async def line(wire):
    made = await wire()
    moment = now_us()
    await made.post(
        made.events(made.declaration(moment)),
        made.samples(
            Sample("pump/flow", moment, 12.5),
            Sample("pump/on", moment, value=True),
            Sample("pump/state", moment, None, Quality.BAD, "no_answer"),
        ),
    )
    return made


def now_us():
    return int(datetime.now(UTC).timestamp() * 1e6)


@pytest.fixture
def get(client, line):
    async def ask(path):
        answer = await client.get(path, headers=line.gateway.tenant.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


async def test_a_gateway_that_speaks_is_live(get):
    (gateway,) = (await get("/v1/gateways"))["gateways"]
    assert gateway["state"] == "live"
    assert gateway["silent_since"] is None
    assert gateway["version"] == "1.2.3"
    assert gateway["devices"] == 1
    assert gateway["points"] == {
        "total": 3, "good": 2, "uncertain": 0, "bad": 1, "stale": 0, "never": 0,
    }  # fmt: skip
    (site,) = (await get("/v1/sites"))["sites"]
    assert (site["gateways"], site["state"], site["time_zone"]) == (1, "live", "Europe/Berlin")


async def test_a_gateway_that_stopped_speaking_is_silent_since_then(app, get):
    before = (await get("/v1/gateways"))["gateways"][0]
    app.dependency_overrides[now] = lambda: datetime.now(UTC) + timedelta(minutes=1)
    (gateway,) = (await get("/v1/gateways"))["gateways"]
    assert gateway["state"] == "silent"
    assert gateway["silent_since"] == before["last_contact_at"]
    assert (await get("/v1/sites"))["sites"][0]["state"] == "silent"


async def test_a_gateway_with_an_old_backlog_is_catching_up(get, line):
    old = now_us() - 3_600_000_000
    await line.post(backlog=Backlog(7, 700, old))
    (gateway,) = (await get("/v1/gateways"))["gateways"]
    assert gateway["state"] == "catching_up"
    assert (gateway["backlog"]["batches"], gateway["backlog"]["samples"]) == (7, 700)


async def test_a_gateway_in_detail_has_devices_and_streams(get, line):
    detail = await get(f"/v1/gateways/{line.gateway.id}")
    assert [device["name"] for device in detail["device_list"]] == ["pump"]
    streams = {stream["stream"]: stream for stream in detail["streams"]}
    assert streams["samples"]["received"] == 1
    assert streams["samples"]["missing"] == streams["samples"]["lost"] == 0
    assert detail["certificate_expires_at"].endswith("Z")


async def test_a_missing_batch_is_counted(get, line):
    await line.post(line.samples(Sample("pump/flow", now_us(), 1.0), seq=4))
    detail = await get(f"/v1/gateways/{line.gateway.id}")
    missing = {stream["stream"]: stream["missing"] for stream in detail["streams"]}
    assert missing == {"events": 0, "samples": 2}


async def test_a_device_shows_each_point_with_value_quality_and_age(get, line):
    device_id = (await get(f"/v1/gateways/{line.gateway.id}"))["device_list"][0]["id"]
    device = await get(f"/v1/devices/{device_id}")
    points = {point["name"]: point for point in device["point_list"]}
    assert points["flow"]["value"] == points["flow"]["good_value"] == 12.5
    assert points["flow"]["unit"] == "m3/h"
    assert points["flow"]["health"] == "good"
    assert points["on"]["value"] is True
    assert points["state"]["value"] is None
    assert (points["state"]["health"], points["state"]["reason"]) == ("bad", "no_answer")
    shown = await get(f"/v1/points/{points['flow']['id']}")
    assert shown["device"] == {"id": device_id, "name": "pump"}
    assert {k: shown[k] for k in points["flow"]} == points["flow"]


async def test_a_point_that_says_nothing_any_more_is_stale(app, get, line):
    device_id = (await get(f"/v1/gateways/{line.gateway.id}"))["device_list"][0]["id"]
    app.dependency_overrides[now] = lambda: datetime.now(UTC) + timedelta(minutes=5)
    device = await get(f"/v1/devices/{device_id}")
    assert {point["health"] for point in device["point_list"]} == {"stale"}
    assert {point["reason"] for point in device["point_list"]} == {"stale"}


async def test_a_point_that_is_no_longer_declared_leaves_the_device_and_keeps_its_number(get, line):
    device_id = (await get(f"/v1/gateways/{line.gateway.id}"))["device_list"][0]["id"]
    before = (await get(f"/v1/devices/{device_id}"))["point_list"]
    declaration = line.declaration(now_us(), PointDeclared("flow", "float", "l/s"))
    await line.post(line.events(declaration))
    after = (await get(f"/v1/devices/{device_id}"))["point_list"]
    assert [(point["id"], point["unit"]) for point in after] == [(before[0]["id"], "l/s")]
    assert (await get(f"/v1/points/{before[1]['id']}"))["name"] == before[1]["name"]


async def test_another_site_has_none_of_these_gateways(get, line, database):
    tenant = line.gateway.tenant
    async with database.transaction(tenant.id) as db:
        other = await registry.add_site(db, tenant.id, "elsewhere", "UTC")
    assert (await get(f"/v1/gateways?site={other}"))["gateways"] == []
    assert len((await get(f"/v1/gateways?site={tenant.site}"))["gateways"]) == 1
    states = {site["name"]: site["state"] for site in (await get("/v1/sites"))["sites"]}
    assert states["elsewhere"] == "empty"


async def test_declaring_twice_changes_nothing_and_renumbers_nothing(
    database, add_tenant, add_gateway
):
    gateway = await add_gateway(await add_tenant())
    tenant, moment = gateway.tenant.id, datetime.now(UTC)
    declared = PointsDeclared([DeviceDeclared("d", "modbus", points=[PointDeclared("p", "float")])])
    numbers = []
    for _ in range(2):
        async with database.transaction(tenant) as db:
            await registry.declare(db, tenant, gateway.id, declared, moment)
            numbers.append(await registry.point_ids(db, tenant, gateway.id, ["d/p", "e/q"]))
    assert numbers[0] == numbers[1]
    assert set(numbers[0]) == {"d/p", "e/q"}


async def test_a_gateway_cannot_grow_without_end(database, add_tenant, add_gateway, monkeypatch):
    gateway = await add_gateway(await add_tenant())
    monkeypatch.setattr(registry, "MAX_POINTS", 5)
    keys = [f"d/p{n}" for n in range(6)]
    async with database.transaction(gateway.tenant.id) as db:
        with pytest.raises(MessageRefusedError, match="limits"):
            await registry.point_ids(db, gateway.tenant.id, gateway.id, keys)
