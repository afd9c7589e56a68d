"""Devices off a tape, on a clock that a test moves."""

import asyncio

import pytest

from edge_runtime.driver import Inspectable, Subscribable
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError, StoreDamagedError
from edge_runtime.model import Quality
from edge_runtime.recording.faults import Fault, FaultPlan
from edge_runtime.recording.records import (
    Answered,
    Ended,
    Failed,
    Header,
    Heard,
    Opened,
    RecordedDevice,
    Shown,
    Taken,
)
from edge_runtime.recording.replaying import Playback, replayed
from edge_runtime.recording.tape import Recording
from simulators.manual_clock import ManualClock

START_US = 1_600_000_000_000_000
SETTINGS = {"name": "meter", "interval_s": 1.0, "points": [{"name": "p"}, {"name": "q"}]}


def taken(point, value, source_us=None):
    return Taken(point, value, 0, "", source_us)


POLLED = (
    Opened(0, "meter", False),
    *(
        Answered(
            s * 1_000_000 + 40_000,
            "meter",
            100_000,
            (taken("p", float(s), START_US + s * 1_000_000), taken("q", -s)),
        )
        for s in range(10)
        if s not in {5, 6}
    ),
    Failed(5_040_000, "meter", 500_000, False, "gone", "look"),
    Failed(6_040_000, "meter", 0, True, "refused", ""),
    Shown(100, "meter", (("p", "holding 0", b"\x01"),)),
    Ended(10_000_000),
)
REPORTED = (
    Opened(0, "meter", True),
    Heard(1_000_000, "meter", (taken("p", 1.0),), (), ("q",)),
    Answered(1_100_000, "meter", 0, (taken("q", 10),)),
    Heard(2_000_000, "meter", (taken("p", 2.0),), (), None),
    Heard(3_000_000, "meter", (), ("p",), None),
    Heard(4_000_000, "meter", (taken("p", 4.0),), (), None),
    Failed(5_000_000, "meter", 0, False, "lost", "look"),
    Opened(7_000_000, "meter", True),
    Heard(7_000_000, "meter", (taken("p", 7.0),), (), ("q",)),
    Ended(8_000_000),
)


class Replay:
    def __init__(self, records, *, faults=(), loop=False):
        ordered = tuple(sorted(records, key=lambda record: record.t_us))
        header = Header(1, "site", START_US, "0", (RecordedDevice("modbus", "10.0.0.7", SETTINGS),))
        self.clock = ManualClock()
        plan = FaultPlan(faults=tuple(Fault(device="meter", **fault) for fault in faults))
        recording = Recording(header, ordered, "")
        self.playback = Playback(self.clock, recording, loop=loop, faults=plan)
        [self.device] = replayed(self.playback)

    async def to(self, seconds):
        await self.clock.advance(seconds - self.clock.monotonic())

    async def read(self):
        async with self.device.driver.open_device(self.device.settings) as device:
            task = asyncio.create_task(device.read(["p", "q"]))
            await asyncio.wait({task}, timeout=0.01)
            await self.clock.advance(2)
            return {reading.point: reading for reading in await task}

    async def values_at(self, seconds):
        await self.to(seconds)
        return {name: reading.value for name, reading in (await self.read()).items()}


async def test_read_gives_what_was_read_at_that_moment():
    replay = Replay(POLLED)
    assert await replay.values_at(0) == {"p": 0.0, "q": 0}
    assert await replay.values_at(3.0) == {"p": 3.0, "q": -3}


async def test_read_takes_as_long_as_it_took():
    replay = Replay(POLLED)
    async with replay.device.driver.open_device(replay.device.settings) as device:
        task = asyncio.create_task(device.read(["p"]))
        await replay.clock.advance(0.09)
        assert not task.done()
        await replay.clock.advance(0.02)
        assert task.done()


async def test_device_is_silent_and_refuses_when_it_did():
    replay = Replay(POLLED)
    await replay.to(5.0)
    with pytest.raises(DeviceUnreachableError, match="gone") as caught:
        await replay.read()
    assert caught.value.hint == "look"
    replay = Replay(POLLED)
    await replay.to(6.0)
    with pytest.raises(DeviceRefusedError, match="refused"):
        await replay.read()


async def test_devices_own_times_move_along():
    replay = Replay(POLLED)
    shift = replay.clock.wall_us() - START_US
    await replay.to(3.0)
    assert (await replay.read())["p"].source_us == START_US + 3_000_000 + shift


async def test_loop_begins_again():
    replay = Replay(POLLED, loop=True)
    assert await replay.values_at(12.0) == {"p": 2.0, "q": -2}


async def test_what_lay_beneath_is_shown():
    replay = Replay(POLLED)
    async with replay.device.driver.open_device(replay.device.settings) as device:
        assert isinstance(device, Inspectable)
        task = asyncio.create_task(device.inspect(["p", "q"]))
        await replay.clock.advance(1)
        p, q = await task
    assert (p.shown, p.data, q.shown) == ("holding 0", b"\x01", "")


@pytest.mark.parametrize("kind", ["silence", "flapping", "error"])
async def test_device_fails_as_the_faults_say(kind):
    replay = Replay(POLLED, faults=[{"kind": kind, "until_s": 4, "period_s": 1}])
    await replay.to(1.0)
    with pytest.raises((DeviceUnreachableError, DeviceRefusedError), match="injected"):
        await replay.read()


async def test_stale_values_stand_still():
    replay = Replay(
        POLLED, faults=[{"kind": "stale", "points": ["p"], "from_s": 1.5, "until_s": 9}]
    )
    assert await replay.values_at(3.0) == {"p": 1.0, "q": -3}


async def test_slow_device_answers_later():
    replay = Replay(POLLED, faults=[{"kind": "slow", "until_s": 4, "delay_s": 1.5}])
    async with replay.device.driver.open_device(replay.device.settings) as device:
        task = asyncio.create_task(device.read(["p"]))
        await replay.clock.advance(1.5)
        assert not task.done()
        await replay.clock.advance(0.2)
        assert task.done()


class Listening:
    """The reports of a replayed device."""

    def __init__(self, replay):
        self.news, self.error, self.replay = [], None, replay

    async def run(self):
        driver, settings = self.replay.device.driver, self.replay.device.settings
        async with driver.open_device(settings) as device:
            assert isinstance(device, Subscribable)
            try:
                async for news in device.changes(["p", "q"]):
                    self.news.append(news)
            except DeviceUnreachableError as exc:
                self.error = exc

    async def until(self, seconds):
        task = asyncio.create_task(self.run())
        await self.replay.to(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [r.value for news in self.news for r in news.readings if r.point == "p"]


async def test_reports_come_when_they_came_until_the_device_is_lost():
    listening = Listening(Replay(REPORTED))
    assert await listening.until(6.0) == [1.0, 2.0, 4.0]
    assert str(listening.error) == "lost"
    assert listening.news[0].polled == ("q",)
    assert [list(news.confirmed) for news in listening.news if news.confirmed] == [["p"]]


async def test_silence_ends_the_reports_at_its_time():
    listening = Listening(
        Replay(REPORTED, faults=[{"kind": "silence", "from_s": 2.5, "until_s": 9}])
    )
    assert await listening.until(6.0) == [1.0, 2.0]
    assert "injected" in str(listening.error)


async def test_stale_point_is_neither_reported_nor_confirmed():
    faults = [{"kind": "stale", "points": ["p"], "from_s": 1.5, "until_s": 9}]
    listening = Listening(Replay(REPORTED, faults=faults))
    assert await listening.until(4.5) == [1.0]
    assert not any(news.confirmed for news in listening.news)


async def test_reports_begin_again_in_a_loop():
    listening = Listening(Replay([r for r in REPORTED if r.t_us < 5_000_000], loop=True))
    assert await listening.until(7.0) == [1.0, 2.0, 4.0, 1.0, 2.0]


async def test_point_that_was_never_read_is_bad():
    replay = Replay([Answered(0, "meter", 0, (taken("p", 1.0),)), Ended(5_000_000)])
    readings = await replay.read()
    assert (readings["q"].quality, readings["q"].reason) == (Quality.BAD, "no_answer")


def test_device_that_cannot_be_is_damage():
    header = Header(1, "site", 0, "0", (RecordedDevice("modbus", "x", {"name": "BAD NAME"}),))
    with pytest.raises(StoreDamagedError):
        replayed(Playback(ManualClock(), Recording(header, (), "")))
