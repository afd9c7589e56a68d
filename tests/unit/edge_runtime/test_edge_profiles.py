import pytest

from edge_runtime.problems import FileProblemsError
from edge_runtime.settings import load_settings

PROFILE = """\
profile: acme-meter
title: Acme M1
vendor: Acme
model: M1
protocol: memory
document: Acme M1 manual, chapter 7
evidence: from documentation
defaults:
  interval_s: 5
points:
  - name: power
    unit: kW
    scale: 0.1
  - name: energy
    unit: kW.h
"""
GATEWAY = """\
gateway:
  name: cellar-1
  profiles: [./profiles]
devices:
  - name: meter
    protocol: memory
    profile: acme-meter
"""


@pytest.fixture
def load(write, find_driver):
    def load_with(more="", profile=PROFILE):
        write("profiles/acme-meter.yaml", profile)
        return load_settings(write("gateway.yaml", GATEWAY + more), find_driver).devices[0].settings

    return load_with


def test_a_profile_gives_points_defaults_and_names(load):
    device = load()
    assert [p.name for p in device.points] == ["power", "energy"]
    assert (device.interval_s, device.vendor, device.model) == (5, "Acme", "M1")
    assert device.description == "Acme M1"


def test_the_device_wins_over_its_profile(load):
    assert load("    interval_s: 2\n").interval_s == 2


def test_a_point_is_overridden_field_by_field(load):
    device = load("    points:\n      - {name: power, scale: 0.5}\n")
    assert (device.points[0].scale, device.points[0].unit) == (0.5, "kW")
    assert len(device.points) == 2


def test_a_point_is_added(load):
    assert load("    points: [{name: voltage}]\n").points[2].name == "voltage"


def test_an_error_in_a_profile_names_the_profile(load):
    with pytest.raises(
        FileProblemsError, match=r"acme-meter.yaml:13: points\[0\].scale: found 'x'"
    ):
        load(profile=PROFILE.replace("scale: 0.1", "scale: x"))


def test_an_unknown_profile_is_suggested(load):
    with pytest.raises(FileProblemsError) as caught:
        load("  - {name: second, protocol: memory, profile: acme-metre}\n")
    assert "did you mean 'acme-meter'?" in str(caught.value)
    assert "looked in" in str(caught.value)


def test_a_profile_name_cannot_leave_its_folder(load):
    with pytest.raises(FileProblemsError, match=r"no profile '\.\./gateway'"):
        load("  - {name: second, protocol: memory, profile: ../gateway}\n")


def test_the_file_name_and_the_profile_name_agree(load):
    with pytest.raises(FileProblemsError, match="the file's name asks for 'acme-meter'"):
        load(profile=PROFILE.replace("profile: acme-meter", "profile: acme"))


def test_a_profile_for_another_protocol_is_refused(load):
    with pytest.raises(FileProblemsError, match="is a profile for opcua, not memory"):
        load(profile=PROFILE.replace("protocol: memory", "protocol: opcua"))


def test_a_profile_says_where_its_map_comes_from(load):
    with pytest.raises(FileProblemsError, match="document: is missing"):
        load(profile=PROFILE.replace("document: Acme M1 manual, chapter 7\n", ""))
