"""Foreign devices: registered with a BBMD on loopback, devices are found behind it."""

import pytest
from bacnet_site import GOOD, INSTANCE, NAMES, Listening, eventually, objects, settings_of, values

from components.bacnet.driver import driver
from edge_runtime.discovery import Found, ScanTarget
from edge_runtime.errors import DeviceUnreachableError
from simulators.bacnet.device import serve
from simulators.bacnet.faults import Faults


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
async def bbmd(faults):
    async with serve(INSTANCE, objects(), bbmd=True, faults=faults) as (device, port):
        yield device, port


def foreign(port, **fields):
    return settings_of(foreign={"bbmd": f"127.0.0.1:{port}", "ttl_s": 30}, **fields)


async def test_device_is_found_by_its_instance_alone(bbmd):
    async with driver.open_device(foreign(bbmd[1])) as opened:
        assert values(await opened.read(NAMES)) == GOOD


async def test_reports_come_too(bbmd):
    async with (
        driver.open_device(foreign(bbmd[1], confirm_s=60)) as opened,
        Listening(opened) as listening,
    ):
        await listening.until(lambda heard: heard.polled == {"label"})
        bbmd[0].object_at("analog-input", 1).presentValue = 30.0
        await listening.until(lambda heard: heard.values["t1"] == 30.0)


async def test_registration_holds_as_long_as_the_device_is_open(bbmd):
    table = bbmd[0].foreign_devices
    async with driver.open_device(foreign(bbmd[1])) as opened:
        await opened.read(NAMES)
        assert len(table()) == 1
    await eventually(lambda: not table())


async def test_device_that_is_not_there_is_told(bbmd):
    async with driver.open_device(foreign(bbmd[1], device_instance=99)) as opened:
        with pytest.raises(DeviceUnreachableError, match="nobody answered the Who-Is") as caught:
            await opened.read(NAMES)
        assert "foreign" in caught.value.hint


async def test_device_that_fell_silent_is_looked_for_again(bbmd, faults):
    async with driver.open_device(foreign(bbmd[1])) as opened:
        await opened.read(NAMES)
        faults.silent = True
        with pytest.raises(DeviceUnreachableError):
            await opened.read(NAMES)
        faults.silent = False
        faults.asked.clear()
        assert values(await opened.read(NAMES)) == GOOD
        assert faults.asked[0] == "WhoIs"


async def test_scan_goes_through_the_bbmd(bbmd):
    options = {"local": "127.0.0.1", "bbmd": f"127.0.0.1:{bbmd[1]}"}
    target = ScanTarget((), 0.3, options=options)
    [found] = [item async for item in driver.discover(target) if isinstance(item, Found)]
    assert found.settings["foreign"] == {"bbmd": f"127.0.0.1:{bbmd[1]}", "ttl_s": 60}
    assert len(found.points) == len(objects())
