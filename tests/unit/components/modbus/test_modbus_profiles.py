"""The built-in Modbus profiles fit the driver's settings."""

from pathlib import Path

import pytest
import yaml

import edge_runtime.profiles
from components.modbus.plan import describe
from components.modbus.settings import Settings

MAX_REQUESTS = 9
"""Drives scatter their parameters; most products need one to three."""
FOLDER = Path(next(iter(edge_runtime.profiles.__path__)))
PROFILES = sorted(
    path
    for path in FOLDER.glob("*.yaml")
    if yaml.safe_load(path.read_text())["protocol"] == "modbus"
)


def settings_of(path: Path) -> Settings:
    profile = yaml.safe_load(path.read_text())
    own = {"name": "device", "host": "127.0.0.1", "points": profile["points"]}
    return Settings(**profile["defaults"], **own)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profile_fits_the_settings(path):
    settings = settings_of(path)
    names = [point.name for point in settings.points]
    assert len(set(names)) == len(names)
    assert all(point.scale_point in {None, *names} for point in settings.points)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profile_is_read_with_few_requests(path):
    settings = settings_of(path)
    requests = describe(settings, [point.name for point in settings.points])
    assert len(requests) <= MAX_REQUESTS


def test_demo_plant_has_about_sixty_points():
    demo = [path for path in PROFILES if path.stem.startswith("demo-")]
    assert 55 <= sum(len(settings_of(path).points) for path in demo) <= 70
