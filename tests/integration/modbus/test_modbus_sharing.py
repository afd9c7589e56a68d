"""Units behind one address share a line, and a dead one does not slow the others."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from components.modbus.driver import driver
from components.modbus.errors import UnitSilentError
from components.modbus.line import shared_line
from components.modbus.line_settings import Framing, Place
from edge_runtime.errors import DeviceUnreachableError
from simulators.modbus import faults
from simulators.modbus.faults import FaultyDevice, serve_faulty

TIMEOUT_S = 0.25


def settings_of(port, unit, blocks=1):
    points = [{"name": f"p{i}", "address": 200 * i} for i in range(blocks)]
    return driver.settings(
        name=f"device-{unit}",
        host="127.0.0.1",
        port=port,
        unit=unit,
        timeout_s=TIMEOUT_S,
        points=points,
    )


def names(blocks=1):
    return [f"p{i}" for i in range(blocks)]


@pytest.fixture
def line():
    return FaultyDevice(registers={200 * i: i for i in range(20)})


@pytest.fixture
async def port(line):
    async with serve_faulty(line) as port:
        yield port


async def test_devices_of_one_address_share_one_connection(line, port):
    async with AsyncExitStack() as stack:
        devices = [
            await stack.enter_async_context(driver.open_device(settings_of(port, unit)))
            for unit in (1, 2, 3)
        ]
        await asyncio.gather(*(device.read(names()) for device in devices))
        assert line.connections == 1
    async with driver.open_device(settings_of(port, 1)) as device:
        await device.read(names())
    assert line.connections == 2


async def test_connection_stays_until_the_last_device_left(line, port):
    async with driver.open_device(settings_of(port, 1)) as one:
        async with driver.open_device(settings_of(port, 2)) as two:
            await two.read(names())
        await one.read(names())
    assert line.connections == 1


async def test_units_are_served_in_turn(line, port):
    async with (
        driver.open_device(settings_of(port, 1, 10)) as long,
        driver.open_device(settings_of(port, 2, 3)) as short,
    ):
        await asyncio.gather(long.read(names(10)), short.read(names(3)))
    served = [asked.unit for asked in line.asked]
    assert served[:6] in ([1, 2, 1, 2, 1, 2], [2, 1, 2, 1, 2, 1])


async def test_dead_unit_costs_the_others_one_timeout_a_pause(line, port):
    line.faults[9] = faults.Silence()
    worst, dead_errors = 0.0, []
    async with (
        driver.open_device(settings_of(port, 1)) as alive,
        driver.open_device(settings_of(port, 9)) as dead,
    ):

        async def ask_the_dead():
            while True:
                try:
                    await dead.read(names())
                except UnitSilentError as exc:
                    dead_errors.append(exc)
                await asyncio.sleep(0.01)

        asking = asyncio.create_task(ask_the_dead())
        end = time.monotonic() + 0.8
        reads = 0
        while time.monotonic() < end:
            started = time.monotonic()
            await alive.read(names())
            worst, reads = max(worst, time.monotonic() - started), reads + 1
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert worst < 2 * TIMEOUT_S
    assert [asked.unit for asked in line.asked].count(9) == 2  # one may be lost
    assert len(dead_errors) > 5  # refused at once, without the line
    assert reads > 5
    assert line.connections == 1


async def test_unit_alone_on_its_line_is_asked_every_time(line, port):
    async with driver.open_device(settings_of(port, 1)) as device:
        line.once += [faults.Silence(), faults.Silence()]
        for _ in range(2):
            with pytest.raises(UnitSilentError):
                await device.read(names())
        await device.read(names())
    assert len(line.asked) == 3


async def test_address_that_is_gone_is_tried_once_for_all_who_wait():
    async with serve_faulty(FaultyDevice()) as port:
        pass  # nobody listens there from now on
    async with AsyncExitStack() as stack:
        devices = [
            await stack.enter_async_context(driver.open_device(settings_of(port, unit)))
            for unit in range(1, 6)
        ]
        results = await asyncio.gather(
            *(device.read(names()) for device in devices), return_exceptions=True
        )
    assert all(isinstance(result, DeviceUnreachableError) for result in results)
    assert len({str(result) for result in results}) == 1


async def test_closing_twice_is_fine(port):
    async with shared_line(Place("127.0.0.1", port, Framing.TCP, None), 1) as connection:
        connection.close()
        connection.close()
