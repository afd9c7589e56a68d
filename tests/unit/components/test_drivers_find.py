import pytest

from components.drivers import find_driver, known_protocols
from edge_runtime.errors import SettingsError


def test_modbus_is_known():
    assert "modbus" in known_protocols()
    assert find_driver("modbus").protocol == "modbus"


def test_component_without_a_driver_is_no_protocol():
    assert "sync" not in known_protocols()


def test_unknown_protocol_lists_the_known_ones():
    with pytest.raises(
        SettingsError, match=r"no driver for the protocol 'modbos'; there are: .*modbus"
    ):
        find_driver("modbos")


@pytest.mark.parametrize("name", ["", "..", "sync", "drivers", "modbus.settings"])
def test_only_a_protocols_name_is_taken(name):
    with pytest.raises(SettingsError):
        find_driver(name)
