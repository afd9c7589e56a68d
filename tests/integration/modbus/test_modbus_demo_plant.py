"""The demo plant, read by its profiles over real sockets."""

from pathlib import Path

import pytest
import yaml

import edge_runtime.profiles
from components.modbus.driver import driver
from edge_runtime.model import Quality
from simulators.modbus.plant import PLANT
from simulators.modbus.server import serve, serve_plant

FOLDER = Path(next(iter(edge_runtime.profiles.__path__)))
ALWAYS_BAD = {"current_n": "not_implemented", "echo_count": "device_error:0x02"}


def settings_of(device, port):
    profile = yaml.safe_load((FOLDER / f"{device.profile}.yaml").read_text())
    return driver.settings(
        **profile["defaults"], name=device.name, host="127.0.0.1", port=port, unit=device.unit,
        points=profile["points"],
    )  # fmt: skip


@pytest.fixture
async def plant():
    async with serve_plant(first_port=0) as devices:
        yield devices


@pytest.mark.parametrize("name", [device.name for device in PLANT])
async def test_every_point_of_the_profile_is_read(plant, name):
    settings = settings_of(*plant[name])
    async with driver.open_device(settings) as device:
        readings = await device.read([point.name for point in settings.points])
    assert sorted(r.point for r in readings) == sorted(point.name for point in settings.points)
    bad = {r.point: r.reason for r in readings if r.quality is not Quality.GOOD}
    assert bad.items() <= ALWAYS_BAD.items()


async def test_values_are_believable(plant):
    found = {}
    for name in plant:
        settings = settings_of(*plant[name])
        async with driver.open_device(settings) as device:
            readings = await device.read([point.name for point in settings.points])
        found |= {f"{name}/{reading.point}": reading.value for reading in readings}
    assert 220 < found["energy-meter/voltage_l1"] < 240
    assert 120_000_000 < found["energy-meter/energy_imported"] < 130_000_000
    assert found["energy-meter/energy_exponent"] == -2
    assert found["air-handling-unit/serial_number"] == "AHU-7-2219-0043"
    assert 250 < found["pump-station/outlet_pressure"] < 700
    assert 1.0 < found["level-transmitter/level"] < 5.5
    assert 10 < found["level-transmitter/filling"] < 95


async def test_setting_a_level_is_taken_and_read_back(plant):
    async with driver.open_device(settings_of(*plant["pump-station"])) as device:
        await device.write("start_level", 1900)
        [reading] = await device.read(["start_level"])
    assert reading.value == 1900


async def test_plant_shares_a_port_between_two_units(plant):
    ports = {name: port for name, (_, port) in plant.items()}
    assert ports["pump-station"] == ports["energy-meter"]
    assert len(set(ports.values())) == 3


async def test_taken_port_is_an_error_of_the_system():
    async with serve_plant(first_port=0) as devices:
        port = devices["pump-station"][1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serve({1: PLANT[0].model(1)}, port=port):
                pass


async def test_silent_device_does_not_answer():
    device = PLANT[-1]
    async with serve({device.unit: device.model(1)}, silent=lambda _: True) as port:
        settings = settings_of(device, port).model_copy(update={"timeout_s": 0.1})
        async with driver.open_device(settings) as opened:
            with pytest.raises(Exception, match="did not answer within"):
                await opened.read(["level"])
