"""What is written down of devices that answer, report, refuse, hang and break."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from edge_runtime.driver import News
from edge_runtime.model import Reading
from edge_runtime.recording import taping
from edge_runtime.recording.records import Answered, Failed, Heard, Opened, Shown
from edge_runtime.recording.tape import read_recording
from edge_runtime.recording.taping import record_site
from edge_runtime.settings import ConfiguredDevice, GatewaySettings
from simulators.manual_clock import ManualClock
from simulators.memory_device import MemoryDevices, MemorySettings


class Site:
    def __init__(self, folder, *, reports=False):
        self.devices, self.clock, self.out = MemoryDevices(), ManualClock(), folder / "site.tgrec"
        self.place = self.devices.place()
        self.place.values["p"] = 1.5
        settings = MemorySettings(name="pump", interval_s=1.0, points=[{"name": "p"}])
        device = ConfiguredDevice(self.devices.driver(reports=reports), settings)
        self.settings = GatewaySettings(
            name="site", state_dir=folder, file=Path("gateway.yaml"), devices=(device,)
        )

    async def record(self, seconds, max_bytes=1 << 20):
        work = record_site(
            self.settings, self.out, self.clock, software="0", max_bytes=max_bytes, seconds=seconds
        )
        task = asyncio.create_task(work)
        for _ in range(20 * int(seconds)):
            await self.clock.advance(0.05)
        await self.clock.advance(0.1)
        self.recorded = await task
        return read_recording(self.out)

    def kinds(self):
        return [type(record).__name__ for record in read_recording(self.out).records]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def of(kind, recording):
    return [record for record in recording.records if isinstance(record, kind)]


async def test_readings_are_written_down_raw_and_once_what_lies_beneath(site):
    site.place.data["p"] = b"\x3f"
    recording = await site.record(3)
    assert [taken.value for r in of(Answered, recording) for taken in r.readings] == [1.5] * 3
    assert [r.points for r in of(Shown, recording)] == [(("p", "cell p", b"\x3f"),)]
    assert [r.subscribable for r in of(Opened, recording)] == [False]
    assert recording.damage == ""


@pytest.mark.parametrize(
    ("trouble", "refused"), [("reachable", False), ("refuses", True), ("broken", False)]
)
async def test_failure_is_written_down(site, trouble, refused):
    values = {"reachable": False, "refuses": True, "broken": ZeroDivisionError("x")}
    setattr(site.place, trouble, values[trouble])
    recording = await site.record(3)
    assert {record.refused for record in of(Failed, recording)} == {refused}
    assert not of(Answered, recording)


async def test_reports_and_their_loss_are_written_down(tmp_path):
    site = Site(tmp_path, reports=True)
    site.place.news.put_nowait(News([Reading("p", 2.5)], polled=()))
    site.place.news.put_nowait(News(confirmed=["p"]))

    async def lose():
        await site.clock.sleep(1.5)
        site.place.reachable = False
        site.place.news.put_nowait(News())

    losing = asyncio.create_task(lose())
    recording = await site.record(4)
    await losing
    first, second, *_ = of(Heard, recording)
    assert (first.readings[0].value, first.polled, second.confirmed) == (2.5, (), ("p",))
    assert of(Failed, recording)
    assert of(Opened, recording)[0].subscribable


async def test_what_is_cancelled_at_the_end_is_no_failure(site):
    site.place.hangs = True
    recording = await site.record(2)
    assert not of(Failed, recording)


async def test_device_that_was_given_up_is_written_down(site, tmp_path):
    site.place.hangs = True
    sink_file = (tmp_path / "x").open("wb")
    with sink_file:
        tape = taping.Tape(sink_file, taping.Header(1, "a", 0, "0", ()), 1 << 20)
        device = taping.taped(site.settings.devices[0], taping.Sink(tape, site.clock))
        async with device.driver.open_device(device.settings) as opened:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await opened.read(["p"])
        tape.flush()
    assert [r.message for r in of(Failed, read_recording(tmp_path / "x"))] == [taping.GAVE_UP]


async def test_full_recording_ends_and_says_so(site):
    recording = await site.record(10, max_bytes=500)
    assert site.recorded.full
    assert recording.damage == ""
    assert recording.length_us < 10_000_000
