"""Points proposed from objects; scans as people ask for them."""

import pytest

from components.bacnet.discover import BROADCAST, read_target
from components.bacnet.messages import Ref
from components.bacnet.objects import point_name, point_of, unique
from components.bacnet.values import Kind, encode
from components.bacnet.wire import put, read_tags
from edge_runtime.discovery import ScanTarget
from edge_runtime.errors import SettingsError

PERCENT, CELSIUS = put(9, b"\x62"), put(9, b"\x3e")


def described(place, **properties):
    numbers = {
        "name": 77,
        "description": 28,
        "value": 85,
        "units": 117,
        "states": 110,
        "default": 104,
    }
    return {Ref(place, numbers[k]): read_tags(v) for k, v in properties.items()}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AHU-1.Supply Temp", "ahu_1_supply_temp"),
        ("AHU1.SupplyTemp_CO2", "ahu1_supply_temp_co2"),
        ("Zuluft Kühler", "zuluft_kuehler"),
        ("1.OG Raum", "p_1_og_raum"),
        ("温度", ""),
        ("x" * 80, "x" * 63),
    ],
)
def test_objects_name_becomes_a_points(text, name):
    assert point_name(text) == name


def test_names_that_collide_get_numbers():
    names: set[str] = set()
    assert [unique("a", names) for _ in range(3)] == ["a", "a_2", "a_3"]


def test_analog_point_has_its_unit():
    results = described((0, 1), name=encode(Kind.TEXT, "T"), value=encode(Kind.REAL, 1.0), units=CELSIUS)  # fmt: skip
    assert point_of((0, 1), results, set()) == (
        {"name": "t", "object": "analog-input,1", "kind": "float", "description": "T", "unit": "Cel"},
        False,
    )  # fmt: skip


@pytest.mark.parametrize(("value", "unit"), [(50.0, "%"), (412.0, None)])
def test_percent_is_told_and_dropped_where_it_cannot_be(value, unit):
    results = described((0, 1), value=encode(Kind.REAL, value), units=PERCENT)
    fields, default = point_of((0, 1), results, set())
    assert default
    assert fields.get("unit") == unit


def test_states_become_labels():
    texts = encode(Kind.TEXT, "off") + encode(Kind.TEXT, "on")
    fields, _ = point_of((19, 1), described((19, 1), states=texts), set())
    assert (fields["kind"], fields["labels"]) == ("enumeration", {1: "off", 2: "on"})


def test_value_with_a_priority_array_may_be_written():
    fields, _ = point_of((2, 1), described((2, 1), default=encode(Kind.REAL, 1.0)), set())
    assert fields["access"] == "read_write"
    assert "access" not in point_of((2, 2), {}, set())[0]


def target(*targets, **options):
    return read_target(ScanTarget(targets, options=options))


def test_scan_without_a_target_asks_everybody():
    assert target().targets == (BROADCAST,)
    assert target().key.port == 47_808


def test_scan_of_hosts_needs_no_port_of_its_own():
    assert target("192.0.2.1", "192.0.2.2:47809").key.port == 0


def test_scan_has_a_range_of_instances():
    found = target(instances="1-100")
    assert (found.low, found.high) == (1, 100)


@pytest.mark.parametrize(
    ("targets", "options"),
    [
        (["not an address"], {}),
        (["192.0.2.0/99"], {}),
        ([], {"instances": "9-1"}),
        ([], {"instances": "a"}),
        ([], {"local": "eth0"}),
        ([], {"local_port": "70000"}),
        ([], {"bbmd": "a b"}),
        ([], {"baud": "9600"}),
    ],
)
def test_wrong_scan_is_told(targets, options):
    with pytest.raises(SettingsError):
        target(*targets, **options)
