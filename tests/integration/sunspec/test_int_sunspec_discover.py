"""Devices are found and proposed with points and values, and nothing is overdone."""

import pytest

from components.sunspec.driver import driver
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import SettingsError
from simulators.modbus.faults import FaultyDevice, serve_faulty
from simulators.modbus.server import serve
from simulators.sunspec.site import units


async def scan(*targets, units="1-3", timeout_s=0.3, **fields):
    target = ScanTarget(targets, timeout_s, options={"units": units}, **fields)
    items = [item async for item in driver.discover(target)]
    found = [item for item in items if isinstance(item, Found)]
    return found, [item for item in items if isinstance(item, Progress)]


@pytest.fixture
async def port():
    async with serve(units()) as port:
        yield port


async def test_devices_are_proposed_with_points_and_values(port):
    found, progress = await scan(f"127.0.0.1:{port}")
    inverter, meter = found
    assert inverter.title == "Tidegate Simulated inverter 1.4.0"
    assert (inverter.identity, meter.identity) == ("INV-0010", "MTR-0020")
    assert inverter.settings["base"] == 40_000
    assert meter.settings["base"] == 50_000
    names = {(point["model"], point["field"]) for point in inverter.points}
    assert {(103, "W"), (123, "WMaxLimPct"), (160, "module.DCW")} <= names
    assert (103, "TmpSnk") not in names  # not implemented
    assert {r.point for r in inverter.values} == {point["name"] for point in inverter.points}
    assert (progress[-1].done, progress[-1].total) == (3, 3)


async def test_what_is_proposed_can_be_used_as_it_is(port):
    found, _ = await scan(f"127.0.0.1:{port}")
    for device in found:
        fields = {k: v for k, v in device.settings.items() if k != "protocol"}
        settings = driver.settings(name="found", points=device.points, **fields)
        names = [point.name for point in settings.points]
        assert len(set(names)) == len(names)
        async with driver.open_device(settings) as opened:
            readings = await opened.read(names)
        assert all(reading.value is not None for reading in readings)


@pytest.mark.parametrize("most", [0, 1, 5, 13])
async def test_scan_keeps_to_its_limit_and_says_so(port, most):
    _, progress = await scan(f"127.0.0.1:{port}", max_requests=most)
    assert progress[-1].requests <= most
    assert "limit" in progress[-1].doing


async def test_points_are_proposed_without_values_where_the_limit_is_near(port):
    (_, meter), progress = await scan(f"127.0.0.1:{port}", max_requests=20)
    assert (meter.values, progress[-1].requests) == ((), 20)
    assert meter.points
    assert "not read" in meter.notes[-1]


async def test_device_without_sunspec_is_left_to_modbus():
    async with serve_faulty(FaultyDevice(registers={0: 1})) as port:
        found, progress = await scan(f"127.0.0.1:{port}", units="1")
    assert found == []
    assert progress[-1].requests == 3


async def test_nobody_there_is_no_error():
    async with serve_faulty(FaultyDevice()) as port:
        pass
    found, progress = await scan(f"127.0.0.1:{port}")
    assert found == []
    assert any("cannot be reached" in item.doing for item in progress)


@pytest.mark.parametrize("target", ["10.0.0.0/8", "10.0.0.1:x", "10.0.0.300/24"])
async def test_wrong_target_is_said(target):
    with pytest.raises(SettingsError):
        await scan(target)
