from pathlib import Path

import pytest

from edge_runtime.driver import Driver
from edge_runtime.errors import SettingsError
from simulators.manual_clock import ManualClock
from simulators.memory_device import MemoryDevices


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def devices():
    return MemoryDevices()


@pytest.fixture
def find_driver(devices):
    def find(protocol: str) -> Driver:
        if protocol != "memory":
            raise SettingsError(f"no driver for '{protocol}'")
        return devices.driver()

    return find


@pytest.fixture
def write(tmp_path):
    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file
