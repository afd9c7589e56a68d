import pytest

from components.modbus.targets import numbers, probed, spots_of
from edge_runtime.discovery import ScanTarget
from edge_runtime.errors import SettingsError


def spots(*targets, **options):
    return spots_of(ScanTarget(targets, options=options))


def test_host_has_a_port_or_the_standards():
    one, two = spots("10.0.0.7", "plc.example:1502")
    assert one.ways[0].fields == {"host": "10.0.0.7", "port": 502}
    assert two.ways[0].fields == {"host": "plc.example", "port": 1502}
    assert one.units == (1,)


def test_network_is_its_hosts():
    assert [spot.ways[0].name for spot in spots("10.0.0.0/30:5020")] == [
        "10.0.0.1:5020",
        "10.0.0.2:5020",
    ]


def test_serial_port_is_tried_in_several_ways():
    [spot] = spots("/dev/ttyUSB0")
    assert len(spot.ways) == 4
    assert spot.ways[0].fields["serial"]["parity"] == "even"
    assert spot.units == tuple(range(1, 11))


def test_addresses_and_options_of_other_protocols_are_left_alone():
    assert len(spots("opc.tcp://plc:4840", "10.0.0.7", topic="plant/#")) == 1


def test_nothing_to_look_at_is_an_error():
    with pytest.raises(SettingsError, match="needs a target"):
        spots()


@pytest.mark.parametrize(
    ("text", "units"), [("1", (1,)), ("1-3,7", (1, 2, 3, 7)), ("3,1-3", (3, 1, 2))]
)
def test_units_are_numbers_and_ranges(text, units):
    assert numbers(text, 0, 255) == units


@pytest.mark.parametrize("text", ["", "a", "3-1", "0", "248", "-1", "1,,2"])
def test_units_that_are_none_are_refused(text):
    with pytest.raises(SettingsError):
        numbers(text, 1, 247)


def test_option_with_a_wrong_value_names_the_line():
    [spot] = spots("/dev/ttyUSB0", parity="mark")
    with pytest.raises(SettingsError, match=r"serial\.parity"):
        probed(spot.ways[0], 1, 1.0)
