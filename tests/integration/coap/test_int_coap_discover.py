"""Looking for devices on a network of simulators."""

import pytest

from components.coap.discover import discover
from components.coap.driver import driver
from components.coap.limits import ALL_COAP_NODES
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import SettingsError
from simulators.coap.faults import Garbage, Refuse, Silence
from simulators.coap.plant import serve_tank
from simulators.coap.resources import Resource
from simulators.coap.server import CoapDevice, serve


async def scan(*targets, **more):
    steps = [step async for step in discover(ScanTarget(targets, **({"timeout_s": 0.3} | more)))]
    return [s for s in steps if isinstance(s, Found)], [s for s in steps if isinstance(s, Progress)]


async def test_tank_is_found_with_points_and_values():
    async with serve_tank(port=0) as server:
        [found], _ = await scan(f"127.0.0.1:{server.port}")
    values = {reading.point: reading.value for reading in found.values}
    points = {point["name"]: point for point in found.points}
    assert points.keys() == values.keys()
    assert points["tank_level"] | {"description": ""} == {
        "name": "tank_level", "kind": "float", "path": "/tank", "observe": True, "unit": "m",
        "record": "urn:dev:mac:0024befffe804ff1:level", "description": "",
    }  # fmt: skip
    assert 0 < values["tank_level"] < 2
    assert points["status_battery_volt"]["json_path"] == "$.battery.volt"
    assert values["pump"] == "on"
    assert found.identity == "urn:dev:mac:0024befffe804ff1"
    assert found.settings == {"protocol": "coap", "host": "127.0.0.1", "port": server.port}
    assert driver.settings(name="t", host="127.0.0.1", points=found.points)


async def test_silence_is_no_error_and_progress_is_told():
    found, steps = await scan("127.0.0.1:9", "127.0.0.2:9")
    assert found == []
    assert [(step.done, step.total) for step in steps] == [(0, 2), (1, 2), (2, 2)]
    assert steps[-1].requests == 2


async def test_scan_sends_no_more_than_it_may():
    async with serve_tank(port=0) as server:
        target = f"127.0.0.1:{server.port}"
        [found], steps = await scan(target, target, max_requests=3)
        assert len(server.device.asked) == 3
    assert steps[-1] == Progress(1, 1, "all requests are used up", 3)
    assert len(found.points) == 2


@pytest.mark.parametrize(
    ("fault", "note"),
    [
        (Refuse(0x84), "It does not list its resources"),
        (Garbage(b"{}"), "cannot be read: it is no link format at character 0"),
        (Garbage(b"\xff"), "cannot be read: it is not UTF-8"),
    ],
)
async def test_device_without_a_list_is_found_with_a_note(fault, note):
    device = CoapDevice(faults={"/.well-known/core": fault})
    async with serve(device) as server:
        [found], _ = await scan(f"127.0.0.1:{server.port}")
    assert any(note in said for said in found.notes)
    assert found.points == ()


async def test_device_that_falls_silent_is_left_after_two_tries():
    async with serve_tank(port=0) as server:
        paths = list(server.device.resources)
        server.device.faults.update(dict.fromkeys(paths, Silence()))
        [found], _ = await scan(f"127.0.0.1:{server.port}", timeout_s=0.1)
    assert f"{paths[0]} did not answer." in found.notes
    assert len([note for note in found.notes if "did not answer" in note]) == 2


async def test_target_that_is_none_is_said():
    with pytest.raises(SettingsError) as caught:
        await scan("10.0.0.0/99")
    assert "224.0.1.187" in caught.value.hint


async def test_everybody_in_a_multicast_group_is_asked():
    device = CoapDevice({"/temp": Resource(lambda: b"21.5")})
    try:
        async with serve(device, host="0.0.0.0", group=ALL_COAP_NODES) as server:
            group = f"{ALL_COAP_NODES}:{server.port}"
            found, steps = await scan(group, options={"leisure": "0.1"})
    except (OSError, SettingsError) as exc:
        pytest.skip(f"no network here carries multicast: {exc}")
    assert [one.title for one in found] == ["CoAP device with 1 resources"]
    assert found[0].settings["port"] == server.port
    assert steps[0].doing == f"everybody at {group}"


async def test_wrong_leisure_is_said():
    with pytest.raises(SettingsError) as caught:
        await scan(ALL_COAP_NODES, options={"leisure": "long"})
    assert "leisure 'long'" in str(caught.value)
