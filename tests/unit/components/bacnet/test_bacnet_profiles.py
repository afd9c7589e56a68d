"""The built-in BACnet profiles fit the driver's settings, and the simulator."""

from pathlib import Path

import pytest
import yaml

import edge_runtime.profiles
from components.bacnet.plan import describe
from components.bacnet.settings import Settings, ref_of
from simulators.bacnet.plant import PLANT

FOLDER = Path(next(iter(edge_runtime.profiles.__path__)))
PROFILES = sorted(
    path
    for path in FOLDER.glob("*.yaml")
    if yaml.safe_load(path.read_text())["protocol"] == "bacnet"
)


def settings_of(path: Path) -> Settings:
    profile = yaml.safe_load(path.read_text())
    own = {"name": "device", "host": "127.0.0.1", "points": profile["points"]}
    return Settings(**profile.get("defaults", {}), **own)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profile_is_read_with_one_request(path):
    settings = settings_of(path)
    names = [point.name for point in settings.points]
    assert len(set(names)) == len(names)
    assert len(describe(settings, names)) == 1


@pytest.mark.parametrize("device", PLANT, ids=lambda device: device.name)
async def test_simulated_device_has_every_object_of_its_profile(device):
    settings = settings_of(FOLDER / f"{device.profile}.yaml")
    objects = {(int(o.objectType), o.objectIdentifier[1]) for o in device.make(0).objects}
    assert {ref_of(point).object for point in settings.points} == objects
