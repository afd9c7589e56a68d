"""The demo plant as units of one line, and the commands that serve it."""

import asyncio
import json
import signal
import sys

import pytest

from components.modbus.driver import driver
from edge_runtime.errors import DeviceError
from simulators.modbus.server import serve_plant_line
from simulators.modbus.spoiling import Spoiler
from simulators.modbus.wire import cable

POINTS = [{"name": "frequency", "address": 18, "type": "float32", "word_order": "CDAB"}]
ENERGY_METER = 2


async def read_meter(**line):
    settings = driver.settings(name="meter", unit=ENERGY_METER, points=POINTS, **line)
    async with driver.open_device(settings) as opened:
        [reading] = await opened.read(["frequency"])
    return reading.value


async def test_plant_is_served_on_a_serial_line():
    async with cable() as (ours, theirs), serve_plant_line(path=theirs) as (_, devices):
        assert {unit for _, unit in devices.values()} == {1, 2, 3, 4}
        assert await read_meter(serial={"port": ours, "parity": "none"}) == pytest.approx(50, abs=1)


async def test_plant_is_served_as_a_converter_does():
    async with serve_plant_line(port=0) as (port, _):
        value = await read_meter(host="127.0.0.1", port=port, framing="rtu")
    assert value == pytest.approx(50, abs=1)


@pytest.mark.parametrize(
    "words", [("modbus", "--rtu-over-tcp", "--first-port=0"), ("sunspec", "--port=0")]
)
async def test_command_prints_devices_that_can_be_read(words):
    command = [sys.executable, "-m", "tidegate", "sim", *words, "--json"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        text = b""
        while not text.rstrip().endswith(b"}") or text.count(b"{") != text.count(b"}"):
            text += await asyncio.wait_for(process.stdout.readline(), 10)
        devices = json.loads(text)["devices"]
        assert {device["protocol"] for device in devices} == {words[0]}
        assert all(device["port"] for device in devices)
        if words[0] == "modbus":
            fields = {"host": "127.0.0.1", "port": devices[0]["port"], "framing": "rtu"}
            assert await read_meter(**fields) == pytest.approx(50, abs=1)
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130


async def test_spoiled_line_gives_right_values_or_none():
    """Frequency is near 50 Hz whatever happens on the way."""
    values, lost = [], 0
    async with serve_plant_line(port=0, spoil=Spoiler(0.4, seed=3)) as (port, _):
        settings = driver.settings(
            name="meter", unit=ENERGY_METER, points=POINTS, host="127.0.0.1", port=port,
            framing="rtu", timeout_s=0.05,
        )  # fmt: skip
        async with driver.open_device(settings) as opened:
            for _ in range(40):
                try:
                    values += [r.value for r in await opened.read(["frequency"])]
                except DeviceError:
                    lost += 1
    good = [value for value in values if value is not None]
    assert lost > 3
    assert len(good) > 15
    assert all(value == pytest.approx(50, abs=1) for value in good)
