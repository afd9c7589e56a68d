import asyncio
import contextlib
import random

import pytest

from cloud_sync.wire.events import EventKind
from edge_runtime.bus import Bus
from edge_runtime.driver import News
from edge_runtime.model import Point, Quality, Reading, Reason
from edge_runtime.polling import DevicePoller
from edge_runtime.settings import ConfiguredDevice
from simulators.memory_device import MemorySettings

POINTS = (Point(name="level"), Point(name="flow"))


class Listening:
    """A device that reports by itself, with its poller."""

    def __init__(self, devices, clock, **fields):
        self.clock = clock
        self.place = devices.place("pump")
        self.place.values = {"level": 1.0, "flow": 2.0}
        fields = {"points": POINTS, "interval_s": 1, "max_silence_s": 10, **fields}
        settings = MemorySettings(name="pump", place="pump", **fields)
        device = ConfiguredDevice(devices.driver(reports=True), settings)
        bus = Bus()
        self.events, self.reads = [], []
        bus.on_event(self.events.append)
        bus.on_readings(self.reads.append)
        self.poller = DevicePoller(device, bus, clock, limit_s=5, rng=random.Random(1))
        self.status = self.poller.status

    async def tell(self, *readings, **fields):
        self.place.news.put_nowait(News(readings, **fields))
        await self.clock.advance(0)

    def reported(self, point):
        sent = [r for read in self.reads for r in read.reported if r.point == f"pump/{point}"]
        return [(r.value, r.quality.name, r.reason) for r in sent]


@pytest.fixture
def listen(devices, clock):
    @contextlib.asynccontextmanager
    async def listen(**fields):
        listening = Listening(devices, clock, **fields)
        task = asyncio.get_running_loop().create_task(listening.poller.run())
        await clock.advance(0)
        yield listening
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return listen


async def test_what_a_device_reports_is_handed_on_and_nothing_is_polled(listen, clock):
    async with listen() as pump:
        await pump.tell(Reading("level", 3.5, source_us=7))
        await clock.advance(2)
        assert pump.reported("level") == [(3.5, "GOOD", "")]
        assert pump.reads[0].readings[0].source_us == 7
        assert pump.place.reads == []
        assert pump.status.subscribed == 2


async def test_only_what_is_not_reported_is_polled(listen, clock):
    async with listen() as pump:
        await pump.tell(polled=("flow",))
        await clock.advance(3)
        assert set(pump.place.reads) == {("flow",)}
        assert pump.status.subscribed == 1


async def test_polling_ends_when_the_device_reports_after_all(listen, clock):
    async with listen() as pump:
        await pump.tell(polled=("flow",))
        await pump.tell(polled=())
        before = len(pump.place.reads)
        await clock.advance(3)
        assert len(pump.place.reads) == before


async def test_a_point_without_news_is_stale_once(listen, clock):
    async with listen(stale_after_s=3) as pump:
        await pump.tell(Reading("level", 1.0), Reading("flow", 2.0))
        for _ in range(5):
            await clock.advance(1)
            await pump.tell(Reading("level", 1.0))
        assert pump.reported("flow") == [(2.0, "GOOD", ""), (None, "BAD", "stale")]
        assert pump.status.stale_points == 1
        assert pump.events == []


async def test_a_confirmed_point_is_not_stale_and_sends_within_its_silence(listen, clock):
    async with listen(stale_after_s=3) as pump:
        await pump.tell(Reading("level", 1.0), Reading("flow", 2.0))
        for _ in range(25):
            await clock.advance(1)
            await pump.tell(confirmed=("level", "flow"))
        assert pump.reported("flow") == [(2.0, "GOOD", "")] * 3


async def test_a_confirmation_brings_a_stale_point_back(listen, clock):
    async with listen(stale_after_s=2) as pump:
        await pump.tell(Reading("level", 1.0), Reading("flow", 2.0))
        await clock.advance(3)
        await pump.tell(confirmed=("flow",))
        assert pump.reported("flow")[1:] == [(None, "BAD", "stale"), (2.0, "GOOD", "")]


async def test_rules_see_a_confirmed_value_each_time(listen, clock):
    async with listen() as pump:
        await pump.tell(Reading("level", 1.0))
        await clock.advance(1)
        await pump.tell(confirmed=("level",))
        assert [read.readings[0].value for read in pump.reads] == [1.0, 1.0]
        assert pump.reads[1].readings[0].received_us - pump.reads[0].readings[0].received_us > 0


async def test_a_device_of_which_nothing_is_heard_is_silent_until_it_is_heard(listen, clock):
    async with listen(stale_after_s=2) as pump:
        await clock.advance(3)
        assert [event.kind for event in pump.events] == [EventKind.DEVICE_SILENT]
        assert pump.reported("level") == [(None, "BAD", Reason.STALE)]
        await pump.tell(Reading("level", 1.0))
        assert [event.kind for event in pump.events][1:] == [EventKind.DEVICE_BACK]
        assert pump.status.bad_points == 1


async def test_a_lost_device_is_opened_again_and_its_last_values_are_not_confirmed(listen, clock):
    async with listen() as pump:
        await pump.tell(Reading("level", 1.0))
        pump.place.reachable = False
        await pump.tell()
        await clock.advance(30)
        assert pump.reported("level")[-1] == (None, "BAD", Reason.NO_ANSWER)
        pump.place.reachable = True
        await clock.advance(11)
        await pump.tell(confirmed=("level",))
        assert pump.reported("level")[-1] == (None, "BAD", Reason.NO_ANSWER)
        await pump.tell(Reading("level", 2.0))
        assert pump.reported("level")[-1] == (2.0, "GOOD", "")


async def test_a_refused_point_of_a_reporting_device_is_only_bad(listen, clock):
    async with listen() as pump:
        await pump.tell(Reading("flow", None, Quality.BAD, "device_error:BadNodeIdUnknown"))
        await pump.tell(Reading("level", 1.0))
        assert pump.status.bad_points == 1
        assert pump.events == []


async def test_unknown_errors_of_a_driver_stay_with_its_device(listen, clock):
    async with listen() as pump:
        pump.place.broken = ZeroDivisionError("in the driver")
        await pump.tell(polled=("flow",))
        await clock.advance(1)
        assert pump.status.silent_reason == "ZeroDivisionError: in the driver"


async def test_no_answer_of_some_points_is_no_sign_of_life(listen, clock):
    async with listen(stale_after_s=5) as pump:
        await pump.tell(Reading("level", 1.0), Reading("flow", 2.0))
        for _ in range(8):  # it opens, says of one point that nobody answers, and fails
            pump.place.reachable = False
            await pump.tell(Reading("level", None, Quality.BAD, Reason.NO_ANSWER))
            await clock.advance(1)
            pump.place.reachable = True
            await clock.advance(1)
        assert [event.kind for event in pump.events] == [EventKind.DEVICE_SILENT]
        assert pump.status.bad_points == 2
        await pump.tell(Reading("flow", 3.0))
        await clock.advance(11)
        assert (3.0, "GOOD", "") in pump.reported("flow")
