"""The demo plant by its profiles, on mosquitto and on our own small broker; and looking for it."""

import asyncio
import json
import random
import signal
import sys
from pathlib import Path

import pytest
import yaml
from mqtt_field import needed, publish

import edge_runtime.profiles
from components.drivers import find_driver
from components.mqtt.driver import driver
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.mqtt import wire
from simulators.mqtt.plant import PLANT, serve_plant
from simulators.mqtt.small_broker import run_small_broker

FOLDER = Path(next(iter(edge_runtime.profiles.__path__)))
ALWAYS_BAD = {"oil_temperature": "not_implemented", "encoder": "device_error:quality 0"}
BROKERS = pytest.mark.parametrize("kind", ["mosquitto", "small"])


def settings_of(device, port):
    profile = yaml.safe_load((FOLDER / f"{device.profile}.yaml").read_text())
    fields = profile["defaults"] | dict(device.more)
    return find_driver(device.protocol).settings(
        **fields, name=device.name, host="127.0.0.1", port=port, points=profile["points"]
    )


async def read(made, protocol):
    async with find_driver(protocol).open_device(made) as device:
        return await device.read([point.name for point in made.points])


@BROKERS
async def test_every_point_of_the_profiles_is_read(kind):
    if kind == "mosquitto":
        needed()
    async with serve_plant(port=0, broker=kind) as plant:
        made = [settings_of(device, plant.port) for device in PLANT]
        found = await asyncio.gather(
            *(read(one, device.protocol) for one, device in zip(made, PLANT, strict=True))
        )
    bad = {r.point: r.reason for readings in found for r in readings if r.quality is Quality.BAD}
    values = {r.point: r.value for readings in found for r in readings}
    assert bad == ALWAYS_BAD
    assert 40 < values["flow_temperature"] < 70
    assert -25 < values["temperature"] < 0
    assert 950 < values["pressure"] < 1_060
    assert values["wind_direction"] == "SW"
    assert values["strokes"] > 1_000_000


async def test_commands_reach_the_plant_through_the_small_broker():
    async with serve_plant(port=0, broker="small") as plant:
        made = settings_of(PLANT[0], plant.port)
        async with driver.open_device(made) as device:
            await device.write("setpoint", 50.0)
            await device.write("pump", False)
            await device.write("setpoint", 51.0)  # answered after the pump was switched
        boiler = plant.devices["boiler"].model
        assert (boiler.pump, boiler.setpoint) == (False, 51.0)


async def test_taken_port_is_an_error_of_the_system():
    async with run_small_broker() as port:
        with pytest.raises(OSError, match="address already in use"):
            async with run_small_broker(port):
                pass


async def test_other_programs_get_on_with_the_small_broker():
    needed()
    async with run_small_broker() as port:
        await publish(port, "a/b", "kept", "-r", "-q", "1")
        process = await asyncio.create_subprocess_exec(
            "mosquitto_sub", "-p", str(port), "-t", "a/+", "-F", "%t %r %p", "-C", "1", "-W", "2",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await process.communicate()
    assert said == b"a/b 1 kept\n"


# --- looking for devices ------------------------------------------------------------------------------


async def scan(port, **options):
    target = ScanTarget(targets=(f"127.0.0.1:{port}",), options={"seconds": "0.5"} | options)
    return [one async for one in driver.discover(target)]


async def test_what_is_published_is_proposed_with_live_values():
    async with serve_plant(port=0, broker="small") as plant:
        await asyncio.sleep(0.1)
        said = await scan(plant.port, topic="site/#", seconds="1.2")
    assert [one.done for one in said if isinstance(one, Progress)] == [0, 1]
    found = {one.address.partition(" ")[2]: one for one in said if isinstance(one, Found)}
    assert {"site/boiler", "site/weather/observation", "site/cold-room/senml"} <= found.keys()
    flow = next(p for p in found["site/boiler"].points if p["name"] == "flow")
    assert flow["topic"] == "site/boiler/flow"
    for branch in ("site/boiler", "site/weather/observation"):
        assert found[branch].settings["availability"]["topic"].endswith("/status")
    for number, one in enumerate(found.values()):
        fields = {key: value for key, value in one.settings.items() if key != "protocol"}
        assert driver.settings(name=f"d{number}", points=one.points, **fields)


async def test_silence_is_no_error():
    async with run_small_broker() as port:
        assert not [one for one in await scan(port) if isinstance(one, Found)]


async def test_broker_that_is_not_there_or_refuses_is_an_error():
    with pytest.raises(DeviceUnreachableError):
        await scan(1)
    async with run_small_broker() as port:
        with pytest.raises(DeviceRefusedError, match="version"):
            await scan(port, version="5.0")


async def test_command_line_runs_the_plant_until_ctrl_c():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from tidegate.cli import main; main()",
        "sim", "mqtt", "--port", "0", "--broker", "small", "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    text = b""
    while not text.endswith(b"\n}\n"):
        text += await process.stdout.readline()
    said = json.loads(text)
    assert said["broker"] == "small"
    assert [device["name"] for device in said["devices"]] == [device.name for device in PLANT]
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 130


async def test_garbage_ends_its_own_connection_only():
    rng = random.Random(7)
    async with run_small_broker() as port:
        for _ in range(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            greeted = rng.random() < 0.5
            writer.write((wire.connect("x") if greeted else b"") + rng.randbytes(40))
            writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
        assert not [one for one in await scan(port, seconds="0.1") if isinstance(one, Found)]
