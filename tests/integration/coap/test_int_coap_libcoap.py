"""The driver against libcoap, which nobody of this project wrote."""

import asyncio
from contextlib import AsyncExitStack, aclosing, suppress

import pytest
from libcoap import CLIENT, SERVER, free_port, libcoap_server

from components.coap.discover import discover
from components.coap.driver import driver
from edge_runtime.discovery import Found, ScanTarget
from edge_runtime.errors import DeviceUnreachableError

POINTS = [
    {"name": "time", "path": "/time", "kind": "text"},
    {"name": "example", "path": "/example_data", "kind": "text"},
    {"name": "slow", "path": "/async?1", "kind": "text"},
]


@pytest.fixture(autouse=True)
def programs(require_tool):
    for program in (SERVER, CLIENT):
        require_tool(program, "libcoap3-bin")


def settings_of(port, **more):
    more = {"timeout_s": 3.0, "points": POINTS} | more
    return driver.settings(name="device", host="127.0.0.1", port=port, **more)


async def test_separate_answer_and_blocks_are_read():
    port = free_port()
    async with libcoap_server(port), driver.open_device(settings_of(port)) as device:
        shown = {one.reading.point: one for one in await device.inspect(["slow", "example"])}
    assert shown["slow"].reading.value == "done"
    assert len(shown["example"].data) == 1_500


async def test_lost_datagrams_are_repeated():
    port = free_port()
    settings = settings_of(port, timeout_s=1.2, points=POINTS[:1])
    async with libcoap_server(port, "-l", "2,4,5,8"), driver.open_device(settings) as device:
        for _ in range(5):
            [reading] = await device.read(["time"])
            assert reading.value


async def test_line_that_loses_every_third_datagram_is_mostly_read():
    port, good = free_port(), 0
    settings = settings_of(port, timeout_s=0.4, points=POINTS[:1])
    async with driver.open_device(settings) as device, libcoap_server(port, "-l", "30%"):
        for _ in range(12):
            with suppress(DeviceUnreachableError):
                good += bool((await device.read(["time"]))[0].value)
    assert good >= 8


async def test_time_is_observed_every_second():
    port = free_port()
    async with (
        libcoap_server(port),
        driver.open_device(settings_of(port)) as device,
        aclosing(device.changes(["time"])) as changes,
    ):
        seen = set()
        async with asyncio.timeout(5):
            async for news in changes:
                seen |= {reading.value for reading in news.readings}
                if len(seen) == 2:
                    break


async def test_observation_outlives_a_restart_of_the_server():
    port, stack = free_port(), AsyncExitStack()
    settings = settings_of(port, renew_after_s=1.5)
    await stack.enter_async_context(libcoap_server(port))
    async with (
        stack,
        driver.open_device(settings) as device,
        aclosing(device.changes(["time"])) as changes,
    ):
        await anext(changes)
        await stack.aclose()
        await stack.enter_async_context(libcoap_server(port))
        seen = set()
        async with asyncio.timeout(8):
            async for news in changes:
                seen |= {reading.value for reading in news.readings}
                if len(seen) == 2:
                    break


async def test_scan_finds_its_resources_with_values():
    port = free_port()
    target = ScanTarget((f"127.0.0.1:{port}",), timeout_s=0.5)
    async with libcoap_server(port):
        [found] = [step async for step in discover(target) if isinstance(step, Found)]
    paths = {point["path"]: point for point in found.points}
    assert paths["/time"]["observe"] is True
    assert paths["/time"]["kind"] == "text"
    assert found.title == "CoAP device with 4 resources"
    assert "/async did not answer." in found.notes
    fields = {key: found.settings[key] for key in ("host", "port")}
    assert driver.settings(name="found", points=found.points, **fields)
