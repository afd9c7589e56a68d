"""Looking for devices: bounds, devices that cannot segment, duplicates, and the demo plant."""

from pathlib import Path

import pytest
import yaml
from bacnet_site import INSTANCE, objects

from components.bacnet.driver import driver
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import SettingsError
from simulators.bacnet.device import serve
from simulators.bacnet.faults import Faults
from simulators.bacnet.plant import serve_plant

PROFILES = Path(__file__).parents[3] / "edge_runtime" / "profiles"
SMALL = {"segmentationSupported": "noSegmentation", "maxApduLengthAccepted": 206}


async def scan(*ports, **fields):
    options = {"local": "127.0.0.1"} | fields.pop("options", {})
    targets = tuple(f"127.0.0.1:{port}" for port in ports)
    target = ScanTarget(targets, **{"timeout_s": 0.5, "options": options} | fields)
    items = [item async for item in driver.discover(target)]
    return [i for i in items if isinstance(i, Found)], [i for i in items if isinstance(i, Progress)]


async def test_device_is_proposed_with_points_and_values():
    async with serve(INSTANCE, objects()) as (_, port):
        [found], progress = await scan(port)
    assert found.settings == {
        "protocol": "bacnet", "device_instance": INSTANCE, "host": f"127.0.0.1:{port}",
        "local_address": "127.0.0.1", "vendor": "Tidegate", "model": "Simulated controller",
    }  # fmt: skip
    assert found.points[0] == {
        "name": "t1", "object": "analog-input,1", "kind": "float", "unit": "Cel",
        "description": "T1",
    }  # fmt: skip
    assert [reading.value for reading in found.values][:2] == [21.0, 22.0]
    assert progress[-1].doing == "done"


async def test_proposal_can_be_opened_as_it_is():
    async with serve(INSTANCE, objects()) as (_, port):
        [found], _ = await scan(port)
        fields = dict(found.settings)
        assert fields.pop("protocol") == "bacnet"
        settings = driver.settings(name="found", points=found.points, **fields)
        async with driver.open_device(settings) as opened:
            readings = await opened.read([point.name for point in settings.points])
    assert readings == list(found.values)


@pytest.mark.parametrize(
    ("faults", "device"), [(Faults(), SMALL), (Faults(no_many=True), SMALL), (Faults(no_many=True), {})]
)  # fmt: skip
async def test_long_object_list_is_read_by_index_where_it_must(faults, device):
    async with serve(INSTANCE, objects(60), faults=faults, **device) as (_, port):
        [found], _ = await scan(port)
    assert len(found.points) == 64


async def test_scan_ends_within_its_bounds_and_says_so():
    async with serve(INSTANCE, objects(60), faults=Faults(no_many=True)) as (simulated, port):
        [found], progress = await scan(port, max_requests=40)
        assert len(simulated.faults.asked) <= 40
    assert 0 < len(found.points) < 64
    assert progress[-1].doing == "ended: no more requests are allowed"


async def test_only_wanted_instances_are_found():
    async with serve(INSTANCE, objects()) as (_, port):
        assert (await scan(port, options={"instances": "1-100"}))[0] == []
        assert len((await scan(port, options={"instances": "1234"}))[0]) == 1


async def test_two_devices_of_one_instance_are_told_apart():
    async with serve(7, objects()) as (_, one), serve(7, objects()) as (_, two):
        found, _ = await scan(one, two)
    assert sorted(item.settings["host"] for item in found) == sorted(
        f"127.0.0.1:{port}" for port in (one, two)
    )
    assert all("two devices say that they are 7" in item.notes[0] for item in found)
    assert {item.identity for item in found} == {""}


async def test_nobody_is_no_error():
    async with serve(7, [], faults=Faults(silent=True)) as (_, port):
        assert (await scan(port))[0] == []


async def test_device_that_falls_silent_is_noted():
    faults = Faults()
    async with serve(7, objects(), faults=faults) as (simulated, port):
        simulated.i_am = lambda address=None: (
            type(simulated).i_am(simulated, address),
            faults.once.extend(["", *["silent"] * 20]),
        )
        [found], _ = await scan(port)
    assert "its objects could not be read" in found.notes[0]


async def test_wrong_target_is_told():
    with pytest.raises(SettingsError):
        await scan("nonsense")


async def test_demo_plant_is_read_with_its_profiles():
    async with serve_plant(first_port=0) as plant:
        for served in plant.values():
            profile = yaml.safe_load((PROFILES / f"{served.device.profile}.yaml").read_text())
            settings = driver.settings(
                name="demo", host=f"127.0.0.1:{served.port}", local_address="127.0.0.1",
                device_instance=served.device.instance, points=profile["points"],
            )  # fmt: skip
            async with driver.open_device(settings) as opened:
                readings = await opened.read([point.name for point in settings.points])
            bad = {reading.point: reading.reason for reading in readings if reading.value is None}
            assert bad in ({}, {"duct_temperature": "device_error:no-sensor"})
