import pytest

from components.bacnet.settings import is_value, ref_of
from components.drivers import find_driver
from edge_runtime.errors import SettingsError
from edge_runtime.problems import FileProblemsError
from edge_runtime.profiles.loader import built_in_folder
from tidegate.profiles.checking import read_profile
from tidegate.profiles.columns import point_type, read_points
from tidegate.profiles.ede_export import write_ede
from tidegate.profiles.importing import plan_import, write_import
from tidegate.profiles.opening import Options, open_points

EDE = """\
# Engineering-Data-Exchange - B.I.G.-EU
PROJECT_NAME;Harbour Works
VERSION_OF_REFERENCEFILE;1
TIMESTAMP_OF_LAST_CHANGE;2026-11-01
AUTHOR_OF_LAST_CHANGE;A. Planner
VERSION_OF_LAYOUT;2.3
# keyname;device obj.-instance;object-name;object-type;object-instance;description;present-value-default;min-present-value;max-present-value;settable;supports COV;hi-limit;low-limit;state-text-reference;unit-code
AHU1_T;100;Supply Temp;0;1;Supply air;;;;N;Y;;;;62
AHU1_M;100;Mode;14;2;Operating mode;;;;Y;Y;;;1;
ROOM_T;200;Room Temp;0;1;Room air;;;;N;Y;;;;62
"""
STATES = "#Reference;State 1;State 2\n1;off;on\n"
HEAD = {
    "protocol": "bacnet", "title": "Air handling", "vendor": "Acme", "model": "AHU",
    "document": "EDE of Harbour Works",
}  # fmt: skip


@pytest.fixture
def files(tmp_path):
    (tmp_path / "site.csv").write_text(EDE)
    (tmp_path / "states.csv").write_text(STATES)
    return tmp_path


def test_a_device_of_an_ede_file_becomes_a_profile(files):
    options = Options(device=100, states=files / "states.csv")
    planned = plan_import(
        open_points(files / "site.csv", options), files / "ahu.yaml", HEAD, find_driver
    )
    assert planned.points == 2
    write_import(planned)
    points = read_profile(files / "ahu.yaml", find_driver).points
    assert points[0].unit == "Cel"
    assert points[1].labels == {1: "off", 2: "on"}


def test_of_several_devices_one_is_chosen(files):
    with pytest.raises(SettingsError, match="has 2 devices; there are: 100, 200") as caught:
        open_points(files / "site.csv")
    assert "--device" in caught.value.hint
    with pytest.raises(SettingsError, match="has no device 300"):
        open_points(files / "site.csv", Options(device=300))


def test_a_wrong_cell_is_named_by_row_and_column(files):
    (files / "site.csv").write_text(EDE.replace("AHU1_M;100;Mode;14;2", "AHU1_M;100;Mode;14;two"))
    with pytest.raises(FileProblemsError) as caught:
        open_points(files / "site.csv", Options(device=100))
    [problem] = caught.value.problems
    assert (problem.line, problem.path) == (9, "E9 object-instance")


def told(point):
    """What an EDE file says of a point."""
    return (point.object, point.access, sorted(point.labels.items()))


@pytest.mark.parametrize("name", ["demo-bacnet-room", "demo-bacnet-air-handling-unit"])
def test_what_is_exported_as_ede_imports_as_the_same_points(name, tmp_path):
    profile = read_profile(built_in_folder() / f"{name}.yaml", find_driver)
    ede, texts = write_ede(profile, 2001)
    (tmp_path / "site.csv").write_bytes(ede)
    (tmp_path / "states.csv").write_bytes(texts)
    sheet = open_points(tmp_path / "site.csv", Options(states=tmp_path / "states.csv"))
    points, problems = read_points(sheet, point_type(find_driver("bacnet")))
    assert problems == []
    exported = sorted(map(told, (p for p in profile.points if is_value(ref_of(p)))))
    assert sorted(map(told, points)) == exported


def test_only_a_bacnet_profile_becomes_an_ede_file():
    profile = read_profile(built_in_folder() / "eastron-sdm630.yaml", find_driver)
    with pytest.raises(SettingsError, match="'eastron-sdm630' is for modbus, not for bacnet"):
        write_ede(profile, 1)
