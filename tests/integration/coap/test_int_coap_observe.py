"""Observed resources: news without asking, and no silence that nobody notices."""

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import pytest

from components.coap.driver import driver
from edge_runtime.errors import DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.coap.faults import Garbage, Refuse, Silence
from simulators.coap.resources import JSON, Resource
from simulators.coap.server import CoapDevice, serve

TIMEOUT_S = 0.7
POINTS = [
    {"name": "temp", "path": "/temp", "kind": "integer"},
    {"name": "fixed", "path": "/fixed"},
    {"name": "asked", "path": "/asked", "observe": False},
]


class Counting:
    """A value that grows by one each time it is reported."""

    def __init__(self):
        self.value = 0

    def get(self):
        return str(self.value).encode()


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def device(counting):
    return CoapDevice(
        {
            "/temp": Resource(counting.get, observable=True, max_age=60),
            "/fixed": Resource(lambda: b"7"),
            "/asked": Resource(lambda: b"8", observable=True),
        }
    )


@asynccontextmanager
async def watched(device, points=POINTS, **more):
    """A device that is observed, its simulator, and a way to wait for the next news of a kind."""
    async with serve(device) as server:
        settings = driver.settings(
            name="device", host="127.0.0.1", port=server.port, timeout_s=TIMEOUT_S, points=points,
            **more,
        )  # fmt: skip
        async with (
            driver.open_device(settings) as coap,
            aclosing(coap.changes([point["name"] for point in points])) as changes,
        ):
            yield server, changes


async def values_until(changes, wanted, point="temp"):
    """Every value of a point up to the wanted one; a bad reading as its reason."""
    found = []
    async with asyncio.timeout(5):
        async for news in changes:
            found += [
                r.value if r.quality is Quality.GOOD else r.reason
                for r in news.readings
                if r.point == point
            ]
            if wanted in found:
                return found
    return found


async def test_begins_with_present_values_and_reports_changes(device, counting):
    async with watched(device) as (server, changes):
        assert await values_until(changes, 0) == [0]
        counting.value = 1
        server.notify()
        assert await values_until(changes, 1) == [1]


async def test_what_cannot_be_observed_is_named_as_polled(device):
    polled = set()
    async with watched(device) as (_, changes), asyncio.timeout(5):
        async for news in changes:
            polled |= set(news.polled or ())
            if len(polled) == 2:
                break
    assert polled == {"fixed", "asked"}


async def test_server_that_forgot_its_observers_is_asked_again(device, counting):
    async with watched(device, renew_after_s=0.3) as (server, changes):
        assert await values_until(changes, 0) == [0]
        server.forget_observers()
        counting.value = 5
        server.notify()
        assert 5 in await values_until(changes, 5)
        assert len(server.observers) == 1
        counting.value = 6
        server.notify()
        assert await values_until(changes, 6) in ([6], [5, 6])


async def test_restart_of_the_device_is_survived(device, counting):
    stack = AsyncExitStack()
    async with watched(device, renew_after_s=0.3) as (server, changes), stack:
        assert await values_until(changes, 0) == [0]
        await server.close()
        counting.value = 9
        await stack.enter_async_context(serve(device, port=server.port))
        assert 9 in await values_until(changes, 9)


async def test_repeated_and_reordered_notifications_are_dropped(device, counting):
    device.repeat = device.reorder = True
    seen = []
    async with watched(device) as (server, changes):
        seen += await values_until(changes, 0)
        for value in range(1, 6):
            counting.value = value
            server.notify()
            seen += await values_until(changes, value)
    assert seen == [0, 1, 2, 3, 4, 5]


async def test_lost_device_ends_the_news(device):
    async with watched(device, renew_after_s=0.2) as (_, changes):
        await values_until(changes, 0)
        device.deaf = lambda: True
        with pytest.raises(DeviceUnreachableError) as caught:
            await values_until(changes, "never")
    assert caught.value.hint


async def test_device_that_is_not_there_ends_the_news_at_once(device):
    device.deaf = lambda: True
    async with watched(device) as (_, changes):
        with pytest.raises(DeviceUnreachableError):
            await values_until(changes, 0)


async def test_one_silent_resource_is_bad_and_the_others_go_on(device, counting):
    points = [{"name": "silent", "path": "/asked"}, *POINTS[:1]]
    async with watched(device, points, renew_after_s=0.2) as (_, changes):
        await values_until(changes, 0)
        device.faults["/asked"] = Silence()
        assert "no_answer" in await values_until(changes, "no_answer", "silent")
        counting.value = 3
        device.faults.clear()
        assert 3 in await values_until(changes, 3)


async def test_refused_resource_is_bad_until_it_is_there(device):
    device.faults["/temp"] = Refuse(0x84)
    async with watched(device, renew_after_s=0.2) as (_, changes):
        assert "device_error:4.04" in await values_until(changes, "device_error:4.04")
        device.faults.clear()
        assert 0 in await values_until(changes, 0)


async def test_notification_of_an_error_is_bad_and_observed_again(device, counting):
    async with watched(device, renew_after_s=0.3) as (server, changes):
        await values_until(changes, 0)
        device.faults["/temp"] = Refuse(0xA3)
        server.notify()
        assert await values_until(changes, "device_error:5.03") == ["device_error:5.03"]
        device.faults["/temp"] = Garbage()
        assert "device_error:unreadable" in await values_until(changes, "device_error:unreadable")
        device.faults.clear()
        assert 0 in await values_until(changes, 0)


async def test_notification_in_blocks_is_put_together(device):
    documents = [b'{"a": 1}', b'{"pad": "' + b"x" * 3_000 + b'", "a": 2}']
    device.resources["/temp"] = Resource(
        lambda: documents[0], content_format=JSON, observable=True, max_age=60
    )
    async with watched(device, [{"name": "temp", "path": "/temp", "json_path": "$.a"}]) as (
        server,
        changes,
    ):
        assert await values_until(changes, 1) == [1]
        documents.pop(0)
        server.notify()
        assert await values_until(changes, 2) == [2]


async def test_slow_reader_gets_the_newest(device, counting):
    async with watched(device) as (server, changes):
        await values_until(changes, 0)
        for value in range(1, 201):
            counting.value = value
            server.notify()
            await asyncio.sleep(0)
        seen = await values_until(changes, 200)
    assert seen[-1] == 200
    assert len(seen) <= 200


async def test_failed_read_of_another_resource_ends_no_observation(device, counting):
    device.faults["/fixed"] = Silence()
    names = ["temp"]
    async with serve(device) as server:
        settings = driver.settings(
            name="device", host="127.0.0.1", port=server.port, timeout_s=TIMEOUT_S, points=POINTS
        )
        async with driver.open_device(settings) as coap, aclosing(coap.changes(names)) as changes:
            assert await values_until(changes, 0) == [0]
            with pytest.raises(DeviceUnreachableError):
                await coap.read(["fixed"])
            # aiocoap ends the observation along with the failed request; it is begun again.
            assert await values_until(changes, 0) == [0]
            counting.value = 1
            server.notify()
            assert 1 in await values_until(changes, 1)
