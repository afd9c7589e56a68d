"""MQTT and Sparkplug devices under the runtime: deaths, returns and silence as the site sees them."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest
from mqtt_field import broker

from components.drivers import find_driver
from edge_runtime.bus import Bus
from edge_runtime.clock import SystemClock
from edge_runtime.model import Quality
from edge_runtime.polling import DevicePoller
from edge_runtime.settings import ConfiguredDevice
from simulators.mqtt.devices import Boiler
from simulators.mqtt.edge_node import serve_node
from simulators.mqtt.faults import Fault
from simulators.mqtt.press_line import PressLine
from simulators.mqtt.running import serve


class QuickBoiler(Boiler):
    interval_s = 0.05


class QuickLine(PressLine):
    interval_s = 0.05


POINTS = {
    "mqtt": [
        {"name": "flow", "topic": "site/boiler/flow"},
        {"name": "pump", "topic": "site/boiler/pump", "kind": "boolean", "on_change": True},
    ],
    "sparkplug": [
        {"name": "speed", "metric": "Drive/Speed"},
        {"name": "recipe", "metric": "Drive/Recipe", "kind": "text"},
    ],
}
MORE = {
    "mqtt": {"availability": {"topic": "site/boiler/status"}},
    "sparkplug": {"group_id": "plant", "edge_node_id": "press-line", "device_id": "drive-1"},
}


class Watched:
    """A device under the runtime, and the last that was said of its points."""

    def __init__(self, device, poller, bus):
        self.device = device
        self.status = poller.status
        self.last = {}
        self.events = []
        self._news = asyncio.Event()
        bus.on_readings(self._take)
        bus.on_event(self._note)

    def _take(self, normalised):
        self.last |= {r.point.partition("/")[2]: r for r in normalised.readings}
        self._news.set()

    def _note(self, event):
        self.events.append(event.kind)
        self._news.set()

    async def until(self, true, limit_s=5.0):
        async with asyncio.timeout(limit_s):
            while not true(self):
                self._news.clear()
                await self._news.wait()

    @property
    def good(self):
        return len(self.last) == 2 and all(r.quality is Quality.GOOD for r in self.last.values())

    @property
    def reasons(self):
        return {r.reason for r in self.last.values()}


@asynccontextmanager
async def watched(protocol, **more):
    driver = find_driver(protocol)
    serving = {"mqtt": lambda port: serve(QuickBoiler(), "127.0.0.1", port),
               "sparkplug": lambda port: serve_node(QuickLine(), "127.0.0.1", port)}  # fmt: skip
    async with broker() as port, serving[protocol](port) as device:
        fields = {"interval_s": 0.5, "timeout_s": 1.0} | MORE[protocol] | more
        settings = driver.settings(
            name="d", host="127.0.0.1", port=port, points=POINTS[protocol], **fields
        )
        bus = Bus()
        made = ConfiguredDevice(driver, settings)
        poller = DevicePoller(made, bus, SystemClock(), rng=random.Random(1))
        site = Watched(device, poller, bus)
        task = asyncio.create_task(poller.run())
        try:
            await site.until(lambda site: site.good)
            yield site
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("protocol", list(POINTS))
async def test_death_makes_all_points_bad_soon_and_return_good(protocol):
    async with watched(protocol) as site:
        site.device.set_fault(Fault.DEATH)
        await site.until(lambda site: site.reasons == {"no_answer"}, 2.5)
        assert len(site.events) == 1
        site.device.set_fault(Fault.NONE)
        await site.until(lambda site: site.good)
        assert len(site.events) == 2


async def test_device_that_is_connected_and_says_nothing_becomes_stale():
    async with watched("mqtt", stale_after_s=0.4) as site:
        site.device.set_fault(Fault.SILENCE)
        await site.until(lambda site: site.last["flow"].reason == "stale", 2)
        assert site.last["pump"].quality is Quality.GOOD  # it is published on change
        assert site.events == []


async def test_edge_node_that_lives_and_says_nothing_has_nothing_new():
    async with watched("sparkplug", stale_after_s=0.4) as site:
        site.device.set_fault(Fault.SILENCE)
        await asyncio.sleep(0.8)
        assert site.good
        assert site.events == []
