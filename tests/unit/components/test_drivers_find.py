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


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package that brings a driver, as pip would have laid it."""

    def install(target):
        info = tmp_path / "acme-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[tidegate.drivers]\nacme = {target}\n")
        (tmp_path / "acme_driver.py").write_text(
            "from components.modbus.driver import driver\nnothing = None\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))

    yield install
    sys.modules.pop("acme_driver", None)


def test_an_installed_package_brings_a_driver(installed):
    installed("acme_driver:driver")
    assert "acme" in known_protocols()
    assert find_driver("acme") is find_driver("modbus")


def test_an_entry_point_that_is_no_driver_is_named(installed):
    installed("acme_driver:nothing")
    with pytest.raises(SettingsError, match="the driver for 'acme' is a NoneType, not a Driver"):
        find_driver("acme")
