"""What the driver makes of devices that misbehave."""

import asyncio
import logging

import pytest
from bacnet_site import GOOD, INSTANCE, NAMES, POINTS, objects, reasons, settings_of, values

from components.bacnet.driver import QUIET_S, driver
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.bacnet.device import serve
from simulators.bacnet.faults import Faults
from simulators.bacnet.objects import fail, take_out_of_service

SMALL = {"segmentationSupported": "noSegmentation", "maxApduLengthAccepted": 206}


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
async def served(faults):
    async with serve(INSTANCE, objects(), faults=faults) as (device, port):
        yield device, port


@pytest.fixture
async def opened(served):
    async with driver.open_device(settings_of(served[1])) as device:
        yield device


@pytest.mark.parametrize("fault", ["silent", "garbage", "half"])
async def test_device_that_does_not_answer_is_unreachable_and_recovers(opened, faults, fault):
    setattr(faults, fault, True)
    with pytest.raises(DeviceUnreachableError, match="did not answer") as caught:
        await opened.read(NAMES)
    assert caught.value.hint
    setattr(faults, fault, False)
    assert values(await opened.read(NAMES)) == GOOD


@pytest.mark.parametrize("fault", ["silent", "garbage", "half"])
async def test_one_lost_message_costs_nothing(opened, faults, fault):
    await opened.read(NAMES)
    faults.once.append(fault)
    assert values(await opened.read(NAMES)) == GOOD


async def test_nothing_is_logged(opened, faults, caplog):
    with caplog.at_level(logging.INFO):
        await opened.read(NAMES)
        faults.silent = True
        with pytest.raises(DeviceUnreachableError):
            await opened.read(NAMES)
    assert caplog.records == []


async def test_slow_device_is_waited_for(opened, faults):
    faults.slow_s = 0.1
    assert values(await opened.read(NAMES)) == GOOD


async def test_refused_object_is_bad_with_the_errors_name(opened, faults):
    faults.errors["analog-input", 2] = ("object", "unknown-object")
    readings = await opened.read(NAMES)
    assert reasons(readings) == {"t2": "device_error:unknown-object"}
    assert values(readings) == GOOD | {"t2": None}


async def test_device_without_read_property_multiple_is_read_singly(opened, faults):
    faults.no_many = True
    assert values(await opened.read(NAMES)) == GOOD
    faults.asked.clear()
    await opened.read(NAMES)
    assert "ReadPropertyMultiple" not in faults.asked


async def test_object_that_spoils_a_request_costs_the_others_nothing(opened, faults):
    faults.sour.add(("analog-input", 2))
    assert values(await opened.read(NAMES)) == GOOD
    faults.asked.clear()
    assert values(await opened.read(NAMES)) == GOOD
    assert faults.asked == ["ReadPropertyMultiple", "ReadProperty", "ReadProperty"]


async def test_device_that_promises_too_much_is_asked_for_less(opened, faults):
    faults.most_objects = 2
    assert values(await opened.read(NAMES)) == GOOD
    faults.asked.clear()
    await opened.read(NAMES)
    assert set(faults.asked) == {"ReadPropertyMultiple"}
    assert len(faults.asked) <= 7


async def test_device_without_segmentation_gets_requests_that_fit():
    points = [{"name": f"t{n}", "object": f"analog-input,{n}"} for n in range(1, 41)]
    async with (
        serve(INSTANCE, objects(40), **SMALL) as (device, port),
        driver.open_device(settings_of(port, points)) as opened,
    ):
        readings = await opened.read([point["name"] for point in points])
        assert all(reading.quality is Quality.GOOD for reading in readings)
        assert device.faults.asked.count("ReadPropertyMultiple") == 5


async def test_long_answer_comes_in_segments():
    title = {"name": "title", "object": "characterstring-value,1", "kind": "text"}
    texts = objects()
    texts[-1].presentValue = "x" * 3_000
    async with (
        serve(INSTANCE, texts) as (_, port),
        driver.open_device(settings_of(port, [title])) as opened,
    ):
        [reading] = await opened.read(["title"])
        assert reading.value == "x" * 3_000


@pytest.mark.parametrize(
    ("spoil", "quality", "reason"),
    [
        (lambda sensor: fail(sensor, 1), Quality.BAD, "device_error:no-sensor"),
        (lambda sensor: fail(sensor, 2), Quality.UNCERTAIN, "out_of_range"),
        (take_out_of_service, Quality.UNCERTAIN, "device_error:out-of-service"),
    ],
)
async def test_status_of_an_object_becomes_quality(served, opened, spoil, quality, reason):
    spoil(served[0].object_at("analog-input", 1))
    [reading] = await opened.read(["t1"])
    assert (reading.quality, reading.reason) == (quality, reason)


async def test_reliability_is_asked_for_only_when_there_is_a_fault(served, opened, faults):
    await opened.read(NAMES)
    faults.asked.clear()
    await opened.read(NAMES)
    assert faults.asked == ["ReadPropertyMultiple"]
    fail(served[0].object_at("analog-input", 1), 4)
    assert reasons(await opened.read(NAMES)) == {"t1": "device_error:open-loop"}


async def test_flapping_device_comes_and_goes():
    async with (
        serve(INSTANCE, objects(), faults=Faults(flapping=lambda t: t % 1 > 0.4)) as (_, port),
        driver.open_device(settings_of(port)) as opened,
    ):
        outcomes = set()
        async with asyncio.timeout(5):
            while len(outcomes) < 2:
                outcomes.add(await _outcome(opened))
                await asyncio.sleep(0.02)
    assert outcomes == {"good", "unreachable"}


async def _outcome(opened):
    try:
        assert values(await opened.read(NAMES)) == GOOD
    except DeviceUnreachableError:
        return "unreachable"
    return "good"


async def test_another_device_at_the_address_is_told(served):
    settings = settings_of(served[1], device_instance=INSTANCE + 1)
    async with driver.open_device(settings) as opened:
        with pytest.raises(DeviceRefusedError, match=f"device {INSTANCE} answers at the address"):
            await opened.read(NAMES)


async def test_device_without_an_instance_in_the_file_is_read(served):
    async with driver.open_device(settings_of(served[1], device_instance=None)) as opened:
        assert values(await opened.read(NAMES)) == GOOD


async def test_two_devices_share_one_socket(served):
    settings = settings_of(served[1])
    other = settings.model_copy(update={"name": "other"})
    async with driver.open_device(settings) as one, driver.open_device(other) as two:
        assert await one.local() is await two.local()
        assert values(await two.read(NAMES)) == GOOD
        await one.read(NAMES)


async def test_taken_port_is_told():
    async with serve(INSTANCE, objects()) as (_, port):
        settings = settings_of(port, POINTS, local_port=port)
        async with driver.open_device(settings) as opened:
            with pytest.raises(DeviceUnreachableError, match="cannot listen") as caught:
                await opened.read(NAMES)
            assert "local_port: 0" in caught.value.hint


async def test_name_that_is_nobodys_is_told():
    async with driver.open_device(settings_of(None, host="nobody.invalid")) as opened:
        with pytest.raises(DeviceUnreachableError, match="no address for the name"):
            await opened.read(NAMES)


async def test_another_device_that_got_the_address_is_not_read_for_it(opened, served, faults):
    await opened.read(NAMES)
    stranger = objects()
    stranger[0].presentValue = 99.0
    port = served[1]
    await served[0].shut()
    await asyncio.sleep(QUIET_S)
    async with serve(INSTANCE + 1, stranger, port=port):
        with pytest.raises(
            DeviceRefusedError, match=f"device {INSTANCE + 1} answers at the address"
        ):
            await opened.read(NAMES)
