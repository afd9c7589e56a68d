"""The line of a whole site in real processes is cut, stalls, and loses answers."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from simulators.site.browser import Browser, sign_in
from simulators.site.site import Site, run_site, site_folder

WAIT_S = 20.0


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    with site_folder() as folder:
        async with run_site(folder) as running:
            yield running


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    link = await site.settle_in()
    await site.start_gateway()
    async with sign_in(site.page, link) as http:
        await gateway_in_state(http, "live")
        yield http


async def gateway_in_state(http: Browser, state: str) -> dict[str, Any]:
    end = time.monotonic() + WAIT_S
    gateways: list[dict[str, Any]] = []
    while time.monotonic() < end:
        gateways = (await http.get("/v1/gateways")).json()["gateways"]
        if gateways and gateways[0]["state"] == state and gateways[0]["points"]["good"]:
            return gateways[0]
        await asyncio.sleep(0.1)
    raise AssertionError(f"the gateway is not {state} but {gateways}")


async def history(http: Browser, device: str, point: str) -> dict[str, Any]:
    gateway = (await http.get("/v1/gateways")).json()["gateways"][0]["id"]
    devices = (await http.get(f"/v1/gateways/{gateway}")).json()["device_list"]
    number = next(d["id"] for d in devices if d["name"] == device)
    points = (await http.get(f"/v1/devices/{number}")).json()["point_list"]
    chosen = next(p["id"] for p in points if p["name"] == point)
    now = datetime.now(UTC)
    window = {"from": (now - timedelta(minutes=5)).isoformat(), "to": now.isoformat()}
    answer = await http.get(f"/v1/points/{chosen}/history", params=window)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_outage_is_silent_then_back_filled_and_nothing_is_missing(
    site: Site, browser: Browser
) -> None:
    await site.line.cut()
    silent = await gateway_in_state(browser, "silent")
    assert silent["silent_since"] is not None
    await asyncio.sleep(4)
    await site.line.restore()
    await gateway_in_state(browser, "live")
    spans = (await history(browser, "pump-station", "level"))["spans"]
    account = await site.account()
    assert "backfilled" in {span["kind"] for span in spans}
    assert account.accepted > 100
    assert (account.missing, account.duplicate, account.lost) == (0, 0, 0)


async def test_answers_that_get_lost_double_nothing(site: Site, browser: Browser) -> None:
    for _ in range(6):
        site.line.lose_answers()
        await asyncio.sleep(0.7)
    await site.line.restore()
    account = await site.account()
    assert (account.missing, account.duplicate, account.lost) == (0, 0, 0)


async def test_an_alert_is_raised_with_the_line_down_and_arrives_first(
    site: Site, browser: Browser
) -> None:
    await site.line.cut()
    end = time.monotonic() + 60
    while not any(rule["alert"] for rule in site.status()["rules"]):
        assert time.monotonic() < end
        await asyncio.sleep(0.2)
    assert (await browser.get("/v1/alerts?state=all")).json()["alerts"] == []
    await site.line.restore()
    while not (alerts := (await browser.get("/v1/alerts?state=all")).json()["alerts"]):
        assert time.monotonic() < end
        await asyncio.sleep(0.1)
    assert alerts[0]["rule"] == "outlet-pressure-high"
    assert alerts[0]["point"]["key"] == "pump-station/outlet_pressure"


async def test_a_killed_process_is_started_again_and_the_supervisor_leaves_none(
    site: Site, browser: Browser
) -> None:
    first = {name: site.status(name)["pid"] for name in ("runtime", "agent")}
    for pid in first.values():
        psutil.Process(pid).kill()
    end = time.monotonic() + WAIT_S
    while any(site.status(name)["pid"] == pid for name, pid in first.items()):
        assert time.monotonic() < end
        await asyncio.sleep(0.1)
    children = psutil.Process(site.gateway.pid).children()
    assert len(children) == 2
    site.gateway.process.kill()
    _, left = await asyncio.to_thread(psutil.wait_procs, children, 10)
    assert left == []


async def test_read_now_travels_down_and_its_result_up(site: Site, browser: Browser) -> None:
    gateway = (await browser.get("/v1/gateways")).json()["gateways"][0]["id"]
    path = f"/v1/gateways/{gateway}/commands"
    asked = await browser.post(
        path, json={"name": "refresh"}, headers={"Idempotency-Key": "read-now-1"}
    )
    assert asked.status_code == 201
    end = time.monotonic() + WAIT_S
    while (command := (await browser.get(path)).json()["commands"][0])["state"] != "succeeded":
        assert time.monotonic() < end, command
        await asyncio.sleep(0.1)
    assert command["id"] == asked.json()["id"]
