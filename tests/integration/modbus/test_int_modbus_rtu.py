"""What the driver makes of a serial line on which things go wrong."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack

import pytest

from components.modbus.driver import driver
from components.modbus.errors import UnitSilentError
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.modbus import faulty_rtu as faults
from simulators.modbus.faults import FaultyDevice
from simulators.modbus.faulty_rtu import serve_faulty_converter, serve_faulty_rtu
from simulators.modbus.wire import Terminal

TIMEOUT_S = 0.15
NAMES = [f"p{a}" for a in range(4)]
GOOD = {f"p{a}": 10 + a for a in range(4)}


def settings_of(port, points=None, *, unit=1, serial=None, **fields):
    points = points or [{"name": name, "address": a} for a, name in enumerate(NAMES)]
    return driver.settings(
        name=f"device-{unit}",
        serial={"port": port, "parity": "none", "baudrate": 115_200, **(serial or {})},
        **{"timeout_s": TIMEOUT_S, "unit": unit, **fields},
        points=points,
    )


def values(readings):
    return {reading.point: reading.value for reading in readings}


def reasons(readings):
    return {r.point: r.reason for r in readings if r.quality is not Quality.GOOD}


@pytest.fixture
def device():
    registers = {a: 10 + a for a in range(200)}
    return FaultyDevice(registers=registers, coils={0: False, 1: False}, units={1, 2, 3})


@pytest.fixture
async def port(device):
    async with serve_faulty_rtu(device) as port:
        yield port


@pytest.fixture
async def opened(port):
    async with driver.open_device(settings_of(port)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (faults.Mute(), "did not answer within"),
        (faults.HalfFrame(), "6 bytes that are no answer came"),
        (faults.Noise(b"\x7f\x80\x81" * 4, answered=False), "12 bytes that are no answer came"),
        (faults.OtherUnit(9), "unit 9 answered instead"),
        (faults.Refusal(0x0B), "failed to respond"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_unit_that_does_not_answer_raises_and_recovers(
    device, opened, caplog, fault, complaint
):
    device.once.append(fault)
    with pytest.raises(UnitSilentError, match=complaint) as caught:
        await opened.read(NAMES)
    assert caught.value.hint
    assert values(await opened.read(NAMES)) == GOOD
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "fault",
    [
        faults.InPieces(),
        faults.Noise(),
        faults.Noise(b"\x01\x03"),
        faults.OtherUnit(9, alone=False),
        faults.Echo(),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_answer_is_found_among_what_else_is_on_the_line(device, opened, fault):
    device.once.append(fault)
    assert values(await opened.read(NAMES)) == GOOD
    assert len(device.asked) == 1


@pytest.mark.parametrize(
    "fault", [faults.Flipped(), faults.TooShort()], ids=lambda fault: type(fault).__name__
)
async def test_wrong_answer_by_chance_is_asked_again_at_once(device, opened, fault):
    device.once.append(fault)
    assert values(await opened.read(NAMES)) == GOOD
    assert len(device.asked) == 2


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (faults.Flipped(), "wrong checksum"),
        (faults.TooShort(), "bytes of data when asked for"),
        (faults.Refusal(2), "illegal data address"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_unit_that_never_gave_anything_and_answers_wrongly_raises(
    device, opened, fault, complaint
):
    device.faults[1] = fault
    with pytest.raises(DeviceRefusedError, match=complaint) as caught:
        await opened.read(NAMES)
    assert caught.value.hint


async def test_late_answer_of_the_same_shape_is_not_taken_for_the_next_one(device, opened):
    """Without transaction numbers p0's answer looks just like p3's."""
    device.once.append(faults.Late(TIMEOUT_S + 0.02))
    with pytest.raises(UnitSilentError):
        await opened.read(["p0"])
    for name in ("p3", "p1", "p0", "p2"):
        assert values(await opened.read([name])) == {name: GOOD[name]}


async def test_late_answer_to_the_same_request_does_not_shift_all_that_follow(device, opened):
    device.once += [faults.Late(TIMEOUT_S + 0.02), faults.Late(0.1), faults.Late(0.1)]
    with pytest.raises(UnitSilentError):
        await opened.read(["p0"])
    assert values(await opened.read(["p0"])) == {"p0": 10}
    assert values(await opened.read(["p1"])) == {"p1": 11}


async def test_late_answer_of_another_unit_is_thrown_away(device, port, opened):
    async with driver.open_device(settings_of(port, unit=2)) as other:
        device.once.append(faults.Late(TIMEOUT_S + 0.02))
        with pytest.raises(UnitSilentError):
            await other.read(["p3"])
        assert values(await opened.read(["p0"])) == {"p0": 10}
        assert values(await other.read(["p3"])) == {"p3": 13}


async def test_echo_is_not_taken_for_the_confirmation_of_a_write(device, opened):
    device.faults[1] = faults.Echo()
    await opened.read(NAMES)
    await opened.write("p1", 7)
    assert device.registers[1] == 7
    device.once.append(EchoAlone())
    with pytest.raises(UnitSilentError):
        await opened.write("p1", 8)


class EchoAlone(faults.LineFault):
    """The adapter echoes, and the unit is silent."""

    def spoil(self, sound, request):
        return [(0.0, request)]


async def test_writes_are_confirmed(device, port):
    points = [
        {"name": "word", "address": 5},
        {"name": "pair", "address": 6, "type": "uint32"},
        {"name": "coil", "table": "coil", "kind": "boolean", "address": 1},
    ]
    async with driver.open_device(settings_of(port, points)) as opened:
        for name, value in {"word": 77, "pair": 70_000, "coil": True}.items():
            await opened.write(name, value)
            assert values(await opened.read([name])) == {name: value}


# --- sharing the line ---------------------------------------------------------------------------


async def test_units_of_one_line_are_served_in_turn(device, port):
    points = [{"name": f"p{i}", "address": 50 * i} for i in range(4)]
    async with (
        driver.open_device(settings_of(port, points, unit=1)) as one,
        driver.open_device(settings_of(port, points, unit=2)) as two,
    ):
        await asyncio.gather(one.read(NAMES), two.read(NAMES))
    assert [asked.unit for asked in device.asked][:6] in ([1, 2] * 3, [2, 1] * 3)


async def test_dead_unit_costs_the_others_one_timeout_a_pause(device, port):
    device.units = {1, 2}
    worst = 0.0
    async with AsyncExitStack() as stack:
        one, two, dead = [
            await stack.enter_async_context(driver.open_device(settings_of(port, unit=unit)))
            for unit in (1, 2, 9)
        ]
        refused = 0

        async def ask_the_dead():
            nonlocal refused
            while True:
                with pytest.raises(UnitSilentError):
                    await dead.read(NAMES)
                refused += 1
                await asyncio.sleep(0.01)

        asking = asyncio.create_task(ask_the_dead())
        end, reads = time.monotonic() + 0.8, 0
        while time.monotonic() < end:
            started = time.monotonic()
            await asyncio.gather(one.read(NAMES), two.read(NAMES))
            worst, reads = max(worst, time.monotonic() - started), reads + 1
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert [asked.unit for asked in device.asked].count(9) == 2  # one may be lost
    assert worst < 2 * TIMEOUT_S
    assert refused > 5  # at once, without the line
    assert reads > 10


async def test_devices_of_one_line_must_agree_on_its_settings(port, opened):
    other = settings_of(port, unit=2, serial={"baudrate": 9_600})
    with pytest.raises(DeviceUnreachableError, match="with other settings") as caught:
        async with driver.open_device(other):
            pass
    assert caught.value.hint


# --- the port -----------------------------------------------------------------------------------


async def test_port_that_is_not_there_is_unreachable_until_it_is(tmp_path, device):
    link = tmp_path / "adapter"
    async with driver.open_device(settings_of(str(link))) as opened:
        with pytest.raises(DeviceUnreachableError, match="No such file") as caught:
            await opened.read(NAMES)
        assert "dialout" in caught.value.hint
        for _ in range(2):  # plugged in, pulled out, plugged in elsewhere
            async with serve_faulty_rtu(device) as port:
                link.symlink_to(port)
                assert values(await opened.read(NAMES)) == GOOD
            link.unlink()
            with pytest.raises(DeviceUnreachableError):
                await opened.read(NAMES)


async def test_adapter_pulled_out_is_noticed_at_once(device):
    terminal = Terminal()
    settings = settings_of(terminal.path, timeout_s=30)
    async with driver.open_device(settings) as opened, asyncio.timeout(2):
        reading = asyncio.create_task(opened.read(NAMES))
        await asyncio.sleep(0.05)
        terminal.close()
        with pytest.raises(DeviceUnreachableError, match=r"closed|cannot"):
            await reading


async def test_port_of_another_program_is_said_to_be_taken(port):
    import serial  # noqa: PLC0415 - stands for the other program

    with serial.Serial(port, exclusive=True):
        async with driver.open_device(settings_of(port)) as opened:
            with pytest.raises(DeviceUnreachableError) as caught:
                await opened.read(NAMES)
    assert "Another program" in caught.value.hint


async def test_port_that_refuses_its_settings_says_which(port):
    """A pseudo terminal has no switch for RS-485."""
    refused = settings_of(port, serial={"rs485": {"loopback": True}})
    for _ in range(2):  # nor does it stay locked
        async with driver.open_device(refused) as opened:
            with pytest.raises(DeviceUnreachableError, match="refuses its settings") as caught:
                await opened.read(NAMES)
        assert "rs485" in caught.value.hint
    async with driver.open_device(settings_of(port)) as opened:
        assert values(await opened.read(NAMES)) == GOOD


async def test_file_that_is_no_port_is_told(tmp_path):
    path = tmp_path / "file"
    path.touch()
    async with driver.open_device(settings_of(str(path))) as opened:
        with pytest.raises(DeviceUnreachableError):
            await opened.read(NAMES)


# --- RTU over TCP -------------------------------------------------------------------------------


async def test_rtu_over_tcp_is_read(device):
    async with serve_faulty_converter(device) as port:
        settings = driver.settings(
            name="behind", host="127.0.0.1", port=port, framing="rtu", timeout_s=TIMEOUT_S,
            points=[{"name": name, "address": a} for a, name in enumerate(NAMES)],
        )  # fmt: skip
        async with driver.open_device(settings) as opened:
            assert values(await opened.read(NAMES)) == GOOD
            device.once.append(faults.HalfFrame())
            with pytest.raises(UnitSilentError):
                await opened.read(NAMES)
            assert values(await opened.read(NAMES)) == GOOD
        assert device.connections == 1


async def test_rtu_converter_is_recognised_when_asked_for_modbus_tcp(device):
    async with serve_faulty_converter(device) as port:
        settings = driver.settings(
            name="behind", host="127.0.0.1", port=port, timeout_s=TIMEOUT_S,
            points=[{"name": "p0", "address": 0}],
        )  # fmt: skip
        async with driver.open_device(settings) as opened:
            with pytest.raises(DeviceUnreachableError):
                await opened.read(["p0"])
