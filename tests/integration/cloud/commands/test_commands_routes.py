"""Commands from a person to a gateway and back."""

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cloud_api.access.dependencies import now as request_time
from cloud_api.commands.downlink import Downlink
from cloud_sync.wire import paths
from cloud_sync.wire.events import EventKind

REFRESH = {"name": "refresh"}


async def always():
    return True


@pytest.fixture
def issue(client):
    async def issued(gateway, key="key-1", body=REFRESH, tenant=None):
        headers = (tenant or gateway.tenant).headers | {"Idempotency-Key": key}
        return await client.post(f"/v1/gateways/{gateway.id}/commands", json=body, headers=headers)

    return issued


@pytest.fixture
def downlink(app, database):
    def opened(gateway):
        board = app.state.command_board
        return Downlink(database, board, gateway.caller, always, ping_s=0.01).stream()

    return opened


async def document_of(frames):
    async for frame in frames:
        if frame.startswith(b"event: document"):
            return json.loads(frame.split(b"data: ")[1])
    return None


async def state_of(client, gateway):
    answer = await client.get(f"/v1/gateways/{gateway.id}/commands", headers=gateway.tenant.headers)
    return [command["state"] for command in answer.json()["commands"]]


async def test_command_goes_all_the_way(client, wire, issue, downlink):
    line = await wire()
    command = (await issue(line.gateway)).json()
    assert (command["state"], command["issued_by"]) == ("queued", line.gateway.tenant.email)
    frames = downlink(line.gateway)
    document = await document_of(frames)
    assert (document["id"], document["kind"], document["body"]) == (
        command["id"],
        "command",
        REFRESH,
    )
    assert document["not_after_us"] - document["issued_us"] == 300_000_000
    assert await state_of(client, line.gateway) == ["sent"]
    path = paths.DOCUMENT_ACKNOWLEDGE.format(document=command["id"])
    assert (await client.post(path, headers=line.gateway.headers)).status_code == 204
    assert await state_of(client, line.gateway) == ["acknowledged"]
    result = {"command": command["id"], "state": "succeeded"}
    await line.post(
        line.events(line.event(EventKind.COMMAND_RESULT, time.time_ns() // 1000, **result))
    )
    assert await state_of(client, line.gateway) == ["succeeded"]
    await frames.aclose()


async def test_command_wakes_an_open_downlink(wire, issue, downlink):
    line = await wire()
    frames = downlink(line.gateway)
    await anext(frames)
    await anext(frames)
    command = (await issue(line.gateway)).json()
    assert (await document_of(frames))["id"] == command["id"]
    await frames.aclose()


async def test_unacknowledged_document_is_sent_again_on_the_next_downlink(wire, issue, downlink):
    line = await wire()
    command = (await issue(line.gateway)).json()
    for _ in range(2):
        frames = downlink(line.gateway)
        assert (await document_of(frames))["id"] == command["id"]
        await frames.aclose()


async def test_same_key_gives_the_same_command(wire, issue):
    gateway = (await wire()).gateway
    one, again, other = await issue(gateway), await issue(gateway), await issue(gateway, "key-2")
    assert one.status_code == again.status_code == 201
    assert one.json() == again.json()
    assert other.json()["id"] != one.json()["id"]


async def test_command_without_a_key_is_refused(client, wire):
    gateway = (await wire()).gateway
    answer = await client.post(
        f"/v1/gateways/{gateway.id}/commands", json=REFRESH, headers=gateway.tenant.headers
    )
    assert answer.json()["code"] == "invalid-request"


async def test_command_that_nobody_took_expires(app, client, wire, issue, downlink):
    line = await wire()
    await issue(line.gateway)
    app.dependency_overrides[request_time] = lambda: datetime.now(UTC) + timedelta(minutes=6)
    assert await state_of(client, line.gateway) == ["expired"]
    frames = downlink(line.gateway)
    assert not any([(await anext(frames)).startswith(b"event") for _ in range(3)])
    await frames.aclose()


async def test_foreign_gateway_and_document_look_like_unknown_ones(
    client, wire, issue, add_tenant, add_gateway
):
    gateway = (await wire()).gateway
    command = (await issue(gateway)).json()
    stranger = await add_gateway(await add_tenant("bolt"))
    assert (await issue(gateway, tenant=stranger.tenant)).status_code == 404
    assert (
        await client.get(f"/v1/gateways/{gateway.id}/commands", headers=stranger.tenant.headers)
    ).status_code == 404
    for document in (command["id"], str(uuid4()), "x"):
        path = paths.DOCUMENT_ACKNOWLEDGE.format(document=document)
        assert (await client.post(path, headers=stranger.headers)).status_code == 404


async def test_viewer_may_look_but_not_command(client, add_tenant, add_gateway, issue):
    gateway = await add_gateway(await add_tenant("acme", "viewer"))
    assert (await issue(gateway)).status_code == 403
    assert await state_of(client, gateway) == []


async def test_closing_ends_an_open_downlink(app, wire, downlink):
    frames = downlink((await wire()).gateway)
    await anext(frames)
    app.state.command_board.close()
    assert not [frame async for frame in frames if frame.startswith(b"event")]
