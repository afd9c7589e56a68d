"""The driver against a stack that shares no code with it (@bacnet-js/client)."""

import pytest
from bacnet_site import Listening, settings_of, values

from components.bacnet.driver import driver
from edge_runtime.discovery import Found, ScanTarget
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality
from tests.contract.bacnet_peer import INSTANCE, free_port, install, run_peer

POINTS = [
    {"name": "outdoor", "object": "analog-input,1"},
    {"name": "broken", "object": "analog-input,2"},
    {"name": "valve", "object": "analog-output,1", "priority": 8},
    {"name": "set_point", "object": "analog-value,1"},
    {"name": "mode", "object": "multi-state-value,1"},
    {"name": "label", "object": "characterstring-value,1", "kind": "text"},
]
NAMES = [point["name"] for point in POINTS]


@pytest.fixture
async def peer(tmp_path_factory):
    async with run_peer(install(tmp_path_factory.getbasetemp()), free_port()) as peer:
        yield peer


def settings(peer, points=POINTS, **fields):
    return settings_of(peer.port, points, device_instance=INSTANCE, **fields)


@pytest.fixture
async def opened(peer):
    async with driver.open_device(settings(peer)) as device:
        yield device


async def test_fault_is_told_with_its_reliability(opened):
    [reading] = await opened.read(["broken"])
    assert (reading.quality, reading.reason) == (Quality.BAD, "device_error:open-loop")


@pytest.mark.parametrize("confirmed", [True, False])
async def test_change_is_reported(peer, confirmed):
    async with (
        driver.open_device(settings(peer, cov_confirmed=confirmed, confirm_s=60)) as opened,
        Listening(opened, NAMES) as listening,
    ):
        await listening.until(lambda heard: heard.polled == {"label"})
        await peer.tell("set 0 1 12.5")
        await listening.until(lambda heard: heard.values["outdoor"] == 12.5)


async def test_own_increment_is_asked_for(peer):
    points = [POINTS[0] | {"cov_increment": 5.0}]
    async with (
        driver.open_device(settings(peer, points, confirm_s=60)) as opened,
        Listening(opened, ["outdoor"]) as listening,
    ):
        await listening.until(lambda heard: heard.polled == set() and heard.reports > 1)
        await peer.tell("set 0 1 -2.25")
        await peer.tell("set 0 1 5.5")
        await listening.until(lambda heard: heard.values["outdoor"] == 5.5)
        assert listening.heard.reports == 3, "the small step was none"


async def test_lapse_is_noticed(peer, opened):
    async with Listening(opened, NAMES) as listening:
        await listening.until(lambda heard: heard.polled == {"label"})
        await peer.tell("forget")
        await peer.tell("set 19 1 3")
        await listening.until(lambda heard: heard.values["mode"] == 3)
        await peer.tell("set 19 1 1")
        await listening.until(lambda heard: heard.values["mode"] == 1)


async def test_command_and_relinquish(opened):
    await opened.write("valve", 70)
    assert values(await opened.read(["valve"])) == {"valve": 70.0}
    await opened.write("valve", "relinquish")
    assert values(await opened.read(["valve"])) == {"valve": 20.0}


async def test_higher_priority_is_named(peer, opened):
    manual = [{"name": "valve", "object": "analog-output,1", "priority": 3}]
    async with driver.open_device(settings(peer, manual)) as operator:
        await operator.write("valve", 5)
        with pytest.raises(DeviceRefusedError, match="priority 3 of the device overrules it"):
            await opened.write("valve", 70)
        await operator.relinquish("valve")
    assert values(await opened.read(["valve"])) == {"valve": 70.0}


async def test_state_that_is_not_there_is_refused_before_it_is_sent(opened):
    with pytest.raises(DeviceRefusedError, match="states go from 1 to 3"):
        await opened.write("mode", 4)


async def test_device_is_found_with_its_objects(peer):
    target = ScanTarget((f"127.0.0.1:{peer.port}",), 0.3, options={"local": "127.0.0.1"})
    [found] = [item async for item in driver.discover(target) if isinstance(item, Found)]
    assert (found.identity, found.title) == ("4711", "Peer Works P-1 Peer")
    assert "answers in one message of 1482 bytes only" in found.notes
    points = {point["object"]: point for point in found.points}
    assert points["analog-input,1"]["unit"] == "Cel"
    assert points["multi-state-value,1"]["labels"] == {1: "off", 2: "day", 3: "night"}
    assert points["analog-output,1"]["access"] == "read_write"
    assert len(found.values) == len(found.points) == 8
