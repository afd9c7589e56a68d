import asyncio
import contextlib
import logging
import random

import pytest

from cloud_sync.wire.events import EventKind
from edge_runtime.bus import Bus
from edge_runtime.errors import DeviceUnreachableError
from edge_runtime.inbox.journal import Journal
from edge_runtime.model import Point, Quality
from edge_runtime.outages import Outages
from edge_runtime.polling import DevicePoller, read_limits_s
from edge_runtime.settings import ConfiguredDevice
from simulators.memory_device import MemorySettings


class Site:
    """Devices in memory with a poller each, and what they put on the bus."""

    def __init__(self, devices, clock):
        self.devices, self.clock = devices, clock
        self.bus = Bus()
        self.events, self.reads, self.tasks = [], [], []
        self.bus.on_event(self.events.append)
        self.bus.on_readings(self.reads.append)

    def start(self, name="pump", *, limit_s=5.0, outages=None, **fields):
        place = self.devices.place(name)
        place.values.setdefault("level", 1.0)
        points = (Point(name="level"),)
        settings = MemorySettings(name=name, place=name, **{"points": points, **fields})
        device = ConfiguredDevice(self.devices.driver(), settings)
        poller = DevicePoller(
            device, self.bus, self.clock, limit_s=limit_s, outages=outages, rng=random.Random(1)
        )
        self.tasks.append(asyncio.get_running_loop().create_task(poller.run()))
        return poller, place

    def kinds(self):
        return [event.kind for event in self.events]

    def last(self, name="pump"):
        return [read for read in self.reads if read.device == name][-1].readings[0]


@pytest.fixture
async def site(devices, clock):
    site = Site(devices, clock)
    yield site
    for task in site.tasks:
        task.cancel()
    await asyncio.gather(*site.tasks, return_exceptions=True)


async def test_a_device_is_read_at_its_interval(site, clock):
    poller, place = site.start(interval_s=2)
    await clock.advance(10)
    assert len(place.reads) == 6
    assert poller.status.polls == 6
    assert site.last().value == 1.0


async def test_points_with_their_own_interval_are_read_less_often(site, clock):
    points = (Point(name="level"), Point(name="serial", interval_s=5))
    _, place = site.start(points=points)
    await clock.advance(10)
    assert sum("serial" in read for read in place.reads) == 3


async def test_one_lost_answer_changes_nothing(site, clock):
    poller, place = site.start()
    await clock.advance(1)
    place.reachable = False
    await clock.advance(1)
    place.reachable = True
    await clock.advance(2)
    assert site.kinds() == []
    assert poller.status.errors == 1
    assert all(r.readings[0].quality is Quality.GOOD for r in site.reads)


async def test_silence_and_return_are_told_once_each(site, clock, caplog):
    caplog.set_level(logging.INFO)
    _, place = site.start()
    await clock.advance(2)
    place.reachable = False
    await clock.advance(300)
    place.reachable = True
    await clock.advance(120)
    assert site.kinds() == [EventKind.DEVICE_SILENT, EventKind.DEVICE_BACK]
    assert site.events[1].body["silent_s"] > 290
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO"]


async def test_a_silent_device_makes_its_points_bad_and_sends_it_once(site, clock):
    _, place = site.start(max_silence_s=1000)
    await clock.advance(2)
    place.reachable = False
    await clock.advance(200)
    bad = [r for read in site.reads for r in read.reported if r.quality is Quality.BAD]
    assert [(r.point, r.value, r.reason) for r in bad] == [("pump/level", None, "no_answer")]


async def test_a_device_that_was_never_there_is_silent_at_once(site, clock):
    site.devices.place("pump").reachable = False
    poller, _ = site.start()
    await clock.advance(0.01)
    assert site.kinds() == [EventKind.DEVICE_SILENT]
    assert poller.status.silent_reason == "nothing at 'pump'"


async def test_a_silent_device_is_left_alone_more_and_more(site, clock):
    poller, place = site.start()
    place.reachable = False
    await clock.advance(3600)
    first_hour = poller.status.errors
    assert 60 < first_hour < 200


async def test_after_a_failure_the_device_is_opened_anew(site, clock):
    _, place = site.start()
    await clock.advance(1)
    place.reachable = False
    await clock.advance(1.5)
    place.reachable = True
    await clock.advance(30)
    assert place.opened == 2
    assert place.closed == 1


async def test_a_refusal_is_an_error_of_the_device(site, clock):
    site.devices.place("pump").refuses = True
    site.start()
    await clock.advance(5)
    assert site.last().reason == "device_error"


async def test_a_device_that_hangs_is_given_up(site, clock):
    site.devices.place("pump").hangs = True
    poller, _ = site.start(limit_s=0.01)
    await clock.advance(0.01)
    await asyncio.wait_for(_until(lambda: poller.status.errors), 2)
    assert site.last().reason == "no_answer"


async def _until(reached):
    while not reached():  # noqa: ASYNC110 - the time-out of a read runs on the event loop's clock
        await asyncio.sleep(0.001)


async def test_a_faulty_driver_stays_with_its_device(site, clock, caplog):
    broken = site.devices.place("broken")
    broken.broken = ZeroDivisionError("oops")
    site.start("broken")
    _, healthy = site.start("healthy")
    await clock.advance(20)
    assert len(healthy.reads) == 21
    assert site.last("broken").reason == "device_error:driver"
    assert "ZeroDivisionError" in caplog.text


async def test_refresh_sends_every_point_whatever_its_deadband(site, clock):
    poller, _ = site.start(interval_s=50, max_silence_s=1000)
    await clock.advance(1)
    await poller.refresh()
    assert [len(read.reported) for read in site.reads] == [1, 1]


async def test_refresh_of_a_silent_device_fails(site, clock):
    site.devices.place("pump").reachable = False
    poller, _ = site.start()
    await clock.advance(1)
    with pytest.raises(DeviceUnreachableError, match="nothing at 'pump'"):
        await poller.refresh()


async def test_cancelling_closes_the_device(site, clock):
    _, place = site.start()
    await clock.advance(1)
    site.tasks[0].cancel()
    await asyncio.gather(*site.tasks, return_exceptions=True)
    assert place.closed == 1


def test_a_read_may_take_a_time_out_for_each_request_on_its_line(devices):
    settings = MemorySettings(name="a", timeout_s=2, points=(Point(name="level"),))
    device = ConfiguredDevice(devices.driver(), settings)
    assert read_limits_s([device] * 3) == (10, 10, 10)


async def test_an_outage_across_a_restart_is_told_once_at_each_end(site, clock, tmp_path):
    with contextlib.closing(Journal(tmp_path / "journal.db", clock)) as journal:
        site.devices.place("pump").reachable = False
        site.start(outages=Outages(journal))
        await clock.advance(10)
        site.tasks.pop().cancel()
        _, place = site.start(outages=Outages(journal))
        await clock.advance(50)
        place.reachable = True
        await clock.advance(60)
        assert Outages(journal).since_us("pump") is None
    assert site.kinds() == [EventKind.DEVICE_SILENT, EventKind.DEVICE_BACK]
    assert site.events[1].body["silent_s"] >= 60


async def test_a_command_is_never_read(site, clock):
    points = (Point(name="level"), Point(name="reset", access="write"))
    poller, place = site.start(points=points)
    await clock.advance(20)
    assert {name for read in place.reads for name in read} == {"level"}
    assert (poller.status.bad_points, poller.status.stale_points) == (0, 0)


async def test_a_device_of_commands_alone_is_left_in_peace(site, clock):
    poller, place = site.start(points=(Point(name="reset", access="write"),))
    await clock.advance(20)
    assert place.reads == []
    assert (poller.status.errors, site.kinds()) == (0, [])
