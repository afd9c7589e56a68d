"""What every driver does, whatever it speaks (edge_runtime/driver.py)."""

import asyncio
from contextlib import aclosing

import pytest

from edge_runtime.driver import (
    DeviceSettings,
    Inspectable,
    RequestPlan,
    Subscribable,
    Writable,
)
from edge_runtime.errors import DeviceError, DeviceUnreachableError
from edge_runtime.model import Quality, Reading

HEARD_S = 10.0
NOTHING = Reading("", None)


def by_point(readings):
    return {reading.point: reading for reading in readings}


async def test_reads_good(subject):
    async with subject.driver.open_device(subject.settings) as device:
        readings = by_point(await device.read(list(subject.good)))
    assert {name: reading.value for name, reading in readings.items()} == subject.good
    assert all(reading.quality is Quality.GOOD for reading in readings.values())


async def test_reads_only_what_is_asked_for(subject):
    name = next(iter(subject.good))
    async with subject.driver.open_device(subject.settings) as device:
        assert list(by_point(await device.read([name]))) == [name]


async def test_marks_one_bad_point_with_a_reason_and_no_other(subject):
    async with subject.driver.open_device(subject.settings) as device:
        for _ in range(2):  # also when it knows the point by now
            readings = by_point(await device.read(subject.names))
            assert sorted(readings) == sorted(subject.names)
            bad = readings.pop(subject.bad)
            assert (bad.value, bad.quality) == (None, Quality.BAD)
            assert bad.reason.startswith("device_error:")
            assert {name: r.value for name, r in readings.items()} == subject.good


async def test_reports_loss_and_recovers(subject):
    async with subject.driver.open_device(subject.settings) as device:
        await device.read(list(subject.good))
        await subject.lose()
        with pytest.raises(DeviceUnreachableError) as caught:
            await device.read(list(subject.good))
        assert caught.value.hint
        await subject.restore()
        readings = by_point(await device.read(list(subject.good)))
    assert {name: reading.value for name, reading in readings.items()} == subject.good


async def test_device_that_is_not_there_can_be_opened(subject):
    await subject.lose()
    async with subject.driver.open_device(subject.settings) as device:
        with pytest.raises(DeviceUnreachableError):
            await device.read(list(subject.good))
        await subject.restore()
        assert await device.read(list(subject.good))


async def test_opens_and_closes_twice(subject):
    for _ in range(2):
        async with (
            subject.driver.open_device(subject.settings) as one,
            subject.driver.open_device(subject.settings) as two,
        ):
            assert len(await one.read(list(subject.good))) == len(subject.good)
            assert len(await two.read(list(subject.good))) == len(subject.good)


async def test_reports_begin_with_the_present_values(subject):
    async with subject.driver.open_device(subject.settings) as device:
        if not isinstance(device, Subscribable):
            return
        heard, polled = {}, set()
        async with asyncio.timeout(HEARD_S), aclosing(device.changes(subject.names)) as changes:
            async for news in changes:
                heard |= by_point(news.readings)
                polled |= set(news.polled or ())
                if heard.keys() | polled >= set(subject.good):
                    break
    known = heard.keys() & subject.good.keys()
    assert {name: heard[name].value for name in known} == {n: subject.good[n] for n in known}
    assert subject.bad not in heard or heard[subject.bad].quality is Quality.BAD


async def test_a_change_is_reported(subject):
    async with subject.driver.open_device(subject.settings) as device:
        if not isinstance(device, Subscribable) or subject.write is None:
            return
        name, value = subject.write
        written = False
        async with asyncio.timeout(HEARD_S), aclosing(device.changes([name])) as changes:
            async for news in changes:
                if name in (news.polled or ()):
                    return
                if written and by_point(news.readings).get(name, NOTHING).value == value:
                    return
                if not written and name in by_point(news.readings):
                    written = True
                    await device.write(name, value)


async def test_what_lies_beneath_a_reading_can_be_shown(subject):
    async with subject.driver.open_device(subject.settings) as device:
        if not isinstance(device, Inspectable):
            return
        shown = {each.reading.point: each for each in await device.inspect(subject.names)}
    assert sorted(shown) == sorted(subject.names)
    assert {name: shown[name].reading.value for name in subject.good} == subject.good
    assert all(each.shown for each in shown.values())


async def test_writes_and_reads_back(subject):
    async with subject.driver.open_device(subject.settings) as device:
        if subject.write is None:
            assert not isinstance(device, Writable)
            return
        name, value = subject.write
        await device.write(name, value)
        [reading] = await device.read([name])
    assert reading.value == value != subject.good[name]


async def test_refused_write_is_an_error(subject):
    async with subject.driver.open_device(subject.settings) as device:
        if isinstance(device, Writable):
            with pytest.raises(DeviceError):
                await device.write(subject.bad, 1)


def test_plan_covers_every_point_once(subject):
    plans = subject.driver.plan(subject.settings, subject.names)
    assert all(isinstance(plan, RequestPlan) and plan.seconds > 0 for plan in plans)
    assert sorted(name for plan in plans for name in plan.points) == sorted(subject.names)


def test_settings_are_a_devices_settings_and_frozen(subject):
    assert issubclass(subject.driver.settings, DeviceSettings)
    assert subject.driver.settings.model_config["frozen"]
    assert subject.driver.settings.model_config["extra"] == "forbid"


def test_address_and_line_have_names(subject):
    assert subject.driver.address(subject.settings)
    assert subject.driver.connection(subject.settings)
