"""Which units are there, what they say of themselves, and no request too many."""

import pytest

from components.modbus.driver import driver
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import SettingsError
from simulators.modbus import faults
from simulators.modbus.faults import FaultyDevice, serve_faulty
from simulators.modbus.faulty_rtu import serve_faulty_converter, serve_faulty_rtu

TIMEOUT_S = 0.1
IDENTITY = ("Acme", "Flow 100", "V2.1")
SUNS = {40_000: 0x5375, 40_001: 0x6E53}


async def scan(*targets, max_requests=2_000, **options):
    target = ScanTarget(targets, TIMEOUT_S, max_requests, options=options)
    items = [item async for item in driver.discover(target)]
    found = [item for item in items if isinstance(item, Found)]
    return found, [item for item in items if isinstance(item, Progress)]


async def test_units_that_answer_are_found_with_what_they_say_of_themselves():
    device = FaultyDevice(registers={0: 1}, units={2, 4}, identity=IDENTITY)
    async with serve_faulty(device) as port:
        found, progress = await scan(f"127.0.0.1:{port}", units="1-4")
    assert [item.settings["unit"] for item in found] == [2, 4]
    assert (found[0].title, found[0].address) == (
        "Acme Flow 100 V2.1",
        f"127.0.0.1:{port} unit 2",
    )
    assert found[0].settings == {
        "protocol": "modbus", "host": "127.0.0.1", "port": port, "unit": 2, "vendor": "Acme",
        "model": "Flow 100",
    }  # fmt: skip
    assert (progress[-1].done, progress[-1].total) == (4, 4)
    assert progress[-1].requests == len(device.asked)


async def test_device_that_refuses_everything_is_found_too():
    """Register 0 need not exist, and identification is a rare gift."""
    async with serve_faulty(FaultyDevice()) as port:
        [found], _ = await scan(f"127.0.0.1:{port}")
    assert found.title == "Modbus device"
    assert any("manual" in note for note in found.notes)


async def test_device_that_is_silent_about_its_identity_is_found_too():
    device = FaultyDevice(registers={0: 1, **SUNS})
    device.once += [faults.Fault(), faults.Silence()]
    async with serve_faulty(device) as port:
        [found], _ = await scan(f"127.0.0.1:{port}")
    assert any("sunspec" in note for note in found.notes)


@pytest.mark.parametrize("most", [0, 1, 2, 7])
async def test_scan_keeps_to_its_limit_and_says_so(most):
    device = FaultyDevice(registers={0: 1})
    async with serve_faulty(device) as port:
        _, progress = await scan(f"127.0.0.1:{port}", units="1-5", max_requests=most)
    assert len(device.asked) == most
    assert "limit" in progress[-1].doing


async def test_host_that_does_not_answer_costs_one_connection():
    async with serve_faulty(FaultyDevice()) as port:
        pass
    found, progress = await scan(f"127.0.0.1:{port}", units="1-50")
    assert found == []
    assert any("cannot be reached" in item.doing for item in progress)
    assert progress[-1].requests == 1


async def test_network_is_looked_through():
    device = FaultyDevice(registers={0: 1})
    async with serve_faulty(device) as port:
        found, progress = await scan(f"127.0.0.0/30:{port}")
    assert [item.settings["host"] for item in found] == ["127.0.0.1"]
    assert (progress[-1].done, progress[-1].total) == (2, 2)


async def test_serial_line_is_tried_at_each_speed_until_somebody_answers():
    device = FaultyDevice(registers={0: 1}, units={3}, identity=IDENTITY)
    async with serve_faulty_rtu(device) as port:
        [found], progress = await scan(port, units="2-3", baud="19200,9600", parity="none")
    assert found.settings["serial"] == {
        "port": port, "baudrate": 19_200, "parity": "none", "stop_bits": 1,
    }  # fmt: skip
    assert found.title == "Acme Flow 100 V2.1"
    assert progress[-1].done == progress[-1].total == 4


async def test_converter_is_found_with_rtu():
    async with serve_faulty_converter(FaultyDevice(registers={0: 1})) as port:
        [found], _ = await scan(f"127.0.0.1:{port}", framing="rtu")
    assert found.settings["framing"] == "rtu"


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("10.0.0.0/8", {}),
        ("10.0.0.7:port", {}),
        ("10.0.0.7", {"units": "0-999"}),
        ("10.0.0.7", {"units": "five"}),
        ("/dev/ttyUSB0", {"units": "0-5"}),
        ("/dev/ttyUSB0", {"baud": "fast"}),
        ("/dev/ttyUSB0", {"parity": "mark"}),
        ("10.0.0.7", {"framing": "ascii"}),
        ("opc.tcp://plc:4840", {}),
    ],
)
async def test_wrong_target_or_option_is_said(target, options):
    with pytest.raises(SettingsError) as caught:
        await scan(target, **options)
    assert str(caught.value)
