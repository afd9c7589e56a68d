"""Edge nodes behind mosquitto: ours with faults, and one on sparkplug-client that others wrote."""

import asyncio
import re
import shutil
import subprocess
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import psutil
import pytest

from components.mqtt.errors import CommandUnansweredError
from components.sparkplug import watch
from components.sparkplug.driver import driver
from edge_runtime.discovery import Found, ScanTarget
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.mqtt.edge_node import serve_node
from simulators.mqtt.faults import Fault
from simulators.mqtt.press_line import PressLine
from tests.integration.mqtt.mqtt_field import broker, hearing, publish

PEER = Path(__file__).parents[2] / "peers" / "sparkplug_client"
OLDEST_NODE, INSTALL_S, READY_S = 20, 120, 10.0


class QuickLine(PressLine):
    interval_s = 0.05


def settings(port: int, *metrics: str, **more):
    points = [
        {"name": metric.rpartition("/")[2].lower(), "metric": metric, "access": "read_write"}
        for metric in metrics or ("Drive/Speed", "Drive/Setpoint", "Drive/Running")
    ]
    fields = {
        "name": "d", "host": "127.0.0.1", "port": port, "timeout_s": 1.0, "group_id": "plant",
        "edge_node_id": "press-line", "device_id": "drive-1", "points": points,
    }  # fmt: skip
    return driver.settings(**fields | more)


@asynccontextmanager
async def press_line():
    async with broker() as port, serve_node(QuickLine(), "127.0.0.1", port) as node:
        yield node, port


def hear(made):
    return hearing(made, driver)


@pytest.fixture
def quick_rebirth(monkeypatch):
    monkeypatch.setattr(watch, "REBIRTH_PAUSE_S", 0.2)


async def test_late_listener_asks_for_a_birth_and_hears_changes():
    async with press_line() as (node, port):
        await asyncio.sleep(0.2)  # the birth is over
        async with hear(settings(port)) as (_, ear):
            await ear.until(lambda ear: len([r for r in ear.readings if r.point == "speed"]) > 3)
    assert node.rebirths == 1
    assert all(r.quality is Quality.GOOD and r.source_us for r in ear.readings)


async def test_metric_that_does_not_change_is_confirmed_while_the_node_lives():
    async with press_line() as (_, port):
        made = settings(port, "Drive/Recipe", stale_after_s=0.3)
        async with hear(made) as (_, ear):
            await ear.until(lambda ear: len(ear.confirmed) > 2)
    assert [r.value for r in ear.readings] == ["lid 200 mm"]


async def test_metric_that_does_not_change_is_confirmed_while_others_change_all_the_time():
    async with press_line() as (_, port):
        made = settings(port, "Drive/Recipe", "Drive/Speed", stale_after_s=0.6)
        async with hear(made) as (_, ear):
            await ear.until(lambda ear: ear.confirmed.count("recipe") > 2)
            await ear.until(lambda ear: len([r for r in ear.readings if r.point == "speed"]) > 5)


async def test_nothing_is_confirmed_when_the_broker_is_frozen():
    async with press_line() as (_, port):
        made = settings(port, "Drive/Recipe", stale_after_s=0.3)
        async with hear(made) as (_, ear):
            await ear.until(lambda ear: len(ear.confirmed) > 2)
            [frozen] = [c for c in psutil.Process().children() if c.name() == "mosquitto"]
            frozen.suspend()
            try:
                await asyncio.sleep(0.3)  # what was under way
                before = len(ear.confirmed)
                await asyncio.sleep(1.0)
                assert len(ear.confirmed) == before
            finally:
                frozen.resume()


async def test_reports_begin_with_what_was_read_before():
    async with press_line() as (_, port):
        made = settings(port, "Drive/Recipe")
        async with driver.open_device(made) as device:
            await device.read(["recipe"])
            async with aclosing(device.changes(["recipe"])) as changes:
                await anext(changes)
                news = await anext(changes)
    assert [reading.value for reading in news.readings] == ["lid 200 mm"]


async def test_reasons_of_what_has_no_value():
    async with press_line() as (_, port):
        made = settings(
            port, "Drive/Oil", "Drive/Encoder", "Drive/Settings", "Drive/Nothing", "Drive/Strokes"
        )
        async with driver.open_device(made) as device:
            found = await device.read([p.name for p in made.points])
    assert {r.point: r.reason for r in found} == {
        "oil": "not_implemented",
        "encoder": "device_error:quality 0",
        "settings": "device_error:a template has no single value",
        "nothing": "configuration:no such metric",
        "strokes": "",
    }


async def test_metrics_of_the_node_itself():
    async with press_line() as (_, port):
        made = settings(port, "Properties/Firmware", device_id="")
        async with driver.open_device(made) as device:
            [found] = await device.inspect(["firmware"])
    assert found.reading.value == "2.4.1"
    assert found.shown == "plant/press-line Properties/Firmware (string, alias 2)"


async def test_two_devices_of_a_node_share_one_watch():
    async with press_line() as (node, port):
        whole = settings(port, "Load", device_id="", name="node")
        async with hear(settings(port)) as (one, _), hear(whole) as (two, ear):
            await ear.until(lambda ear: ear.readings)
            assert one.watch is two.watch
        assert node.rebirths == 1


async def test_death_of_the_node_is_told_at_once_and_its_return_heard():
    async with press_line() as (node, port):
        async with hear(settings(port)) as (_, ear):
            await ear.until(lambda ear: ear.readings)
            node.set_fault(Fault.DEATH)
            await ear.until(lambda ear: ear.trouble, 2)
        assert str(ear.trouble) == "plant/press-line/drive-1 is dead"
        node.set_fault(Fault.NONE)
        async with hear(settings(port)) as (_, ear):
            await ear.until(lambda ear: ear.readings)


async def test_node_that_is_not_there_is_unreachable():
    async with broker() as port:
        made = settings(port, timeout_s=0.2)
        async with driver.open_device(made) as device:
            with pytest.raises(DeviceUnreachableError, match="was not born") as caught:
                await device.read(["speed"])
        assert caught.value.hint
        async with hear(made) as (_, ear):
            await ear.until(lambda ear: ear.trouble, 2)
        assert isinstance(ear.trouble, DeviceUnreachableError)


async def test_node_that_comes_late_is_heard_by_who_waits_for_it():
    async with broker() as port:
        made = settings(port, timeout_s=0.1, stale_after_s=10)
        for _ in range(2):  # the runtime counts two failures in a row
            async with hear(made) as (_, ear):
                await ear.until(lambda ear: ear.trouble, 2)
        async with hear(made) as (_, ear):
            await asyncio.sleep(0.3)
            async with serve_node(QuickLine(), "127.0.0.1", port):
                await ear.until(lambda ear: ear.readings, 2)


@pytest.mark.parametrize("fault", [Fault.SEQ_GAP, Fault.GARBAGE])
async def test_lost_messages_lead_to_a_birth_asked_for_once_in_a_while(fault, quick_rebirth):
    async with press_line() as (node, port), hear(settings(port)) as (device, ear):
        await ear.until(lambda ear: ear.readings)
        before = node.rebirths
        node.set_fault(fault)
        asked = device.watch.rebirths
        await ear.until(lambda _: device.watch.rebirths >= asked + 2)
        node.set_fault(Fault.NONE)
        heard = len(ear.readings)
        await ear.until(lambda ear: len(ear.readings) > heard)
        assert node.rebirths <= before + 5
    assert not ear.trouble


async def test_requests_for_a_birth_are_bounded():
    async with press_line() as (node, port), hear(settings(port)) as (_, ear):
        await ear.until(lambda ear: ear.readings)
        before = node.rebirths
        node.set_fault(Fault.SEQ_GAP)
        heard = len(ear.readings)
        await ear.until(lambda ear: len(ear.readings) > heard + 10)
        assert node.rebirths <= before + 1


async def test_duplicates_are_no_gap():
    async with press_line() as (node, port), hear(settings(port)) as (device, ear):
        await ear.until(lambda ear: ear.readings)
        before = node.rebirths
        node.set_fault(Fault.DUPLICATE)
        await ear.until(lambda ear: device.watch.node.duplicates > 2)
        assert node.rebirths == before


@pytest.mark.parametrize("fault", [Fault.WRONG_TYPE, Fault.HUGE])
async def test_wrong_messages_harm_only_themselves(fault, quick_rebirth):
    async with press_line() as (node, port), hear(settings(port)) as (device, ear):
        await ear.until(lambda ear: ear.readings)
        node.set_fault(fault)
        bad = lambda ear: ear.readings[-1].quality is Quality.BAD or device.watch.node.garbage  # noqa: E731
        await ear.until(bad)
        node.set_fault(Fault.NONE)
        heard = len(ear.readings)
        await ear.until(lambda ear: any(r.quality is Quality.GOOD for r in ear.readings[heard:]))
    assert not ear.trouble


async def test_device_that_flaps_is_told():
    async with press_line() as (node, port), hear(settings(port)) as (_, ear):
        await ear.until(lambda ear: ear.readings)
        node.set_fault(Fault.FLAPPING)
        await ear.until(lambda ear: ear.trouble, 2)
    assert "is dead" in str(ear.trouble)


async def test_retained_birth_is_an_old_one():
    async with broker() as port:
        await publish(port, "spBv1.0/plant/NBIRTH/press-line", "x", "-r")
        async with driver.open_device(settings(port, timeout_s=0.2)) as device:
            with pytest.raises(DeviceUnreachableError):
                await device.read(["speed"])
            assert device.watch.node.garbage == 0


# --- commands ---------------------------------------------------------------------------------------


async def test_command_is_reported_back():
    async with press_line() as (node, port), driver.open_device(settings(port)) as device:
        await device.write("setpoint", 21.3)
        await device.write("running", False)
        await device.write("running", False)  # nothing changes, nothing is reported
    assert (round(node.line.setpoint, 3), node.line.running) == (21.3, False)


async def test_command_that_the_device_does_not_take_is_an_error_in_time():
    async with press_line() as (_, port):
        made = settings(port, timeout_s=0.4)
        async with driver.open_device(made) as device:
            with pytest.raises(CommandUnansweredError, match=r"did not become 99\.0 within 0\.4 s"):
                await device.write("setpoint", 99)


async def test_commands_that_cannot_be_are_refused():
    async with press_line() as (_, port):
        made = settings(port, "Drive/Nothing", "Drive/Running")
        async with driver.open_device(made) as device:
            with pytest.raises(DeviceRefusedError, match="has no metric 'Drive/Nothing'"):
                await device.write("nothing", 1)
            with pytest.raises(DeviceRefusedError, match="does not fit"):
                await device.write("running", "yes")


# --- the primary host -------------------------------------------------------------------------------


async def test_state_of_the_host_is_published_and_withdrawn():
    async with press_line() as (_, port):
        async with driver.open_device(settings(port, host_id="gw-1")) as device:
            await device.read(["speed"])
            assert b'"online":true' in await _retained(port)
        assert b'"online":false' in await _retained(port)


async def _retained(port: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-p", str(port), "-t", "spBv1.0/STATE/gw-1", "-C", "1", "-W", "2",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    return said


# --- looking for edge nodes ---------------------------------------------------------------------------


async def test_edge_nodes_are_found_with_their_metrics():
    async with press_line() as (_, port):
        target = ScanTarget(targets=(f"127.0.0.1:{port}",), options={"seconds": "0.5"})
        found = [one async for one in driver.discover(target) if isinstance(one, Found)]
    by_source = {one.identity: one for one in found}
    assert set(by_source) == {"plant/press-line", "plant/press-line/drive-1"}
    drive = by_source["plant/press-line/drive-1"]
    assert {"name": "drive_speed", "metric": "Drive/Speed", "kind": "float"} in drive.points
    fields = {key: value for key, value in drive.settings.items() if key != "protocol"}
    assert driver.settings(name="d", points=drive.points, **fields).device_id == "drive-1"


# --- an edge node that others wrote ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def peer(tmp_path_factory) -> Path:
    """The peer's script with its packages installed."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, with npm")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, found {said.strip()}")
    place = tmp_path_factory.getbasetemp() / "sparkplug_client"
    shutil.copytree(PEER, place, ignore=shutil.ignore_patterns("node_modules"))
    done = subprocess.run(
        [str(shutil.which("npm")), "ci", "--prefer-offline", "--no-audit", "--no-fund"],
        cwd=place, capture_output=True, text=True, timeout=INSTALL_S, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    if re.search(r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT", said):
        pytest.skip("no line to the registry of npm packages, so the peer cannot be installed here")
    assert done.returncode == 0, said
    return place / "node.js"


@asynccontextmanager
async def peer_on(port: int, script: Path):
    process = await asyncio.create_subprocess_exec(
        "node", str(script), str(port), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(READY_S):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


VALUES = {
    "speed": 12.5, "torque": -7, "offset": -1, "count": 4_000_000_000, "total": 1 << 40,
    "setpoint": 0.5, "running": True, "recipe": "Köln",
}  # fmt: skip


def peer_settings(port: int):
    metrics = [f"Drive/{name.title()}" for name in VALUES]
    return settings(port, *metrics, group_id="peer", edge_node_id="js-node", device_id="drive")


async def test_node_of_others_is_read_and_commanded(peer):
    async with (
        broker() as port,
        peer_on(port, peer),
        driver.open_device(peer_settings(port)) as device,
    ):
        found = {r.point: r.value for r in await device.read(list(VALUES))}
        assert found == VALUES
        for name, value in (("torque", -300), ("recipe", "Graz"), ("running", False)):
            await device.write(name, value)
            [reading] = await device.read([name])
            assert reading.value == value


async def test_node_of_others_that_dies_is_told(peer):
    async with (
        broker() as port,
        peer_on(port, peer) as process,
        hear(peer_settings(port)) as (_, ear),
    ):
        await ear.until(lambda ear: ear.readings)
        process.kill()
        await ear.until(lambda ear: ear.trouble)
    assert str(ear.trouble) == "peer/js-node/drive is dead"
