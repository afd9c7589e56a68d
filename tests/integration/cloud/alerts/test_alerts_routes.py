"""Alerts from events to the list."""

import time
from uuid import uuid4

import pytest

from cloud_sync.wire.events import EventKind

NOW = time.time_ns() // 1000


def raised(line, name, at=NOW, **more):
    body = {
        "alert": name, "rule": "too-hot", "point": "pump/flow", "priority": "high",
        "message": "flow is high", "value": 7.5,
    }  # fmt: skip
    return line.event(EventKind.ALERT_RAISED, at, **(body | more))


def cleared(line, name, at=NOW + 5):
    body = {"alert": name, "rule": "too-hot", "point": "pump/flow", "value": 3.5}
    return line.event(EventKind.ALERT_CLEARED, at, **body)


@pytest.fixture
async def alerts(client):
    async def asked(tenant, **params):
        answer = await client.get("/v1/alerts", params=params, headers=tenant.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return asked


async def test_raised_alert_is_active_with_all_its_names(alerts, wire):
    line = await wire()
    await line.post(line.events(line.declaration(NOW), raised(line, "a")))
    found = (await alerts(line.gateway.tenant, state="active"))["alerts"]
    assert [(a["id"], a["state"], a["value"], a["cleared_at"]) for a in found] == [
        ("a", "raised", 7.5, None)
    ]
    assert (found[0]["point"]["key"], found[0]["point"]["unit"]) == ("pump/flow", "m3/h")
    assert (found[0]["device"]["name"], found[0]["gateway"]["name"]) == ("pump", "cellar-1")
    assert found[0]["site"]["name"] == "acme site"


async def test_cleared_alert_is_history(alerts, wire):
    line = await wire()
    await line.post(line.events(raised(line, "a"), cleared(line, "a")))
    assert (await alerts(line.gateway.tenant, state="active"))["alerts"] == []
    found = (await alerts(line.gateway.tenant, state="all"))["alerts"]
    assert [(a["state"], a["clear_value"], a["point"]) for a in found] == [("cleared", 3.5, None)]


async def test_clearing_may_arrive_before_the_raising(alerts, wire):
    line = await wire()
    await line.post(line.events(cleared(line, "a"), seq=2))
    assert (await alerts(line.gateway.tenant))["alerts"] == []
    await line.post(line.events(raised(line, "a"), seq=1))
    assert [a["state"] for a in (await alerts(line.gateway.tenant))["alerts"]] == ["cleared"]


async def test_pages_hold_every_alert_once(alerts, wire):
    line = await wire()
    await line.post(line.events(*(raised(line, f"a{i}", NOW + i // 2) for i in range(5))))
    seen, cursor = [], ""
    while cursor is not None:
        page = await alerts(line.gateway.tenant, limit=2, cursor=cursor)
        seen += [a["id"] for a in page["alerts"]]
        cursor = page["next_cursor"]
    assert seen == ["a4", "a3", "a2", "a1", "a0"]


async def test_alerts_are_filtered_by_gateway_and_device(alerts, wire):
    line = await wire()
    await line.post(line.events(line.declaration(NOW), raised(line, "a")))
    tenant = line.gateway.tenant
    device = (await alerts(tenant))["alerts"][0]["device"]["id"]
    assert len((await alerts(tenant, gateway=str(line.gateway.id), device=device))["alerts"]) == 1
    assert (await alerts(tenant, gateway=str(uuid4())))["alerts"] == []
    assert (await alerts(tenant, device=str(uuid4())))["alerts"] == []


async def test_gateway_cannot_clear_the_alert_of_another(alerts, wire, add_gateway):
    line = await wire()
    other = await wire(await add_gateway(line.gateway.tenant, "cellar-2"))
    await line.post(line.events(raised(line, "a")))
    await other.post(other.events(cleared(other, "a")))
    assert [a["state"] for a in (await alerts(line.gateway.tenant))["alerts"]] == ["raised"]


async def test_another_tenant_sees_none_of_it(alerts, wire, add_tenant):
    line = await wire()
    await line.post(line.events(raised(line, "a")))
    assert (await alerts(await add_tenant("bolt")))["alerts"] == []


async def test_cursor_that_is_none_is_refused(client, add_tenant):
    tenant = await add_tenant()
    answer = await client.get("/v1/alerts", params={"cursor": "?"}, headers=tenant.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
