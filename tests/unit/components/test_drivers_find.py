import subprocess
import sys

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


def test_library_that_is_not_installed_is_named_with_its_extra():
    program = (
        "import sys; sys.modules['pymodbus'] = None\n"
        "from components.drivers import find_driver\n"
        "from edge_runtime.errors import SettingsError\n"
        "try: find_driver('modbus')\n"
        "except SettingsError as exc: print(exc, exc.hint, sep='|')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "needs the Python package 'pymodbus" in done.stdout
    assert "|Install tidegate[modbus]." in done.stdout


def test_looking_for_protocols_loads_no_library():
    program = (
        "import sys\nfrom components.drivers import known_protocols\n"
        "known_protocols()\nassert 'pymodbus' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
