"""What the driver makes of devices that misbehave."""

import asyncio
import logging

import pytest

from components.modbus.driver import driver
from components.modbus.errors import UnitSilentError
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.modbus import faults
from simulators.modbus.faults import FaultyDevice, serve_faulty

TIMEOUT_S = 0.3
NAMES = [f"p{a}" for a in range(4)]


class ToldSilence(faults.Silence):
    """Silence that tells when it was asked."""

    def __init__(self):
        self.began = asyncio.Event()

    async def apply(self, transaction, unit, pdu):
        self.began.set()
        return b""


def settings_of(port, points=None, **fields):
    points = points or [{"name": name, "address": a} for a, name in enumerate(NAMES)]
    return driver.settings(
        **{"name": "device", "host": "127.0.0.1", "timeout_s": TIMEOUT_S, **fields},
        port=port,
        points=points,
    )


def values(readings):
    return {reading.point: reading.value for reading in readings}


def reasons(readings):
    return {r.point: r.reason for r in readings if r.quality is not Quality.GOOD}


@pytest.fixture
def device():
    return FaultyDevice(registers={a: 10 + a for a in range(200)})


@pytest.fixture
async def port(device):
    async with serve_faulty(device) as port:
        yield port


GOOD = {f"p{a}": 10 + a for a in range(4)}


@pytest.mark.parametrize(
    ("fault", "complaint", "connections"),
    [
        (faults.Silence(), "did not answer within 0.3 s", 1),
        (faults.WrongTransaction(), "did not answer within 0.3 s", 1),
        (faults.Half(), "did not answer within 0.3 s", 2),
        (faults.HangUp(), "closed the connection", 2),
        (faults.Garbage(), "not Modbus TCP", 2),
        (faults.Refuse(0x0B), "failed to respond", 1),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_device_that_does_not_answer_raises_and_recovers(  # noqa: PLR0917 - fixtures
    device, port, caplog, fault, complaint, connections
):
    async with driver.open_device(settings_of(port)) as opened:
        device.once.append(fault)
        with pytest.raises(DeviceUnreachableError, match=complaint) as caught:
            await opened.read(NAMES)
        assert caught.value.hint
        assert values(await opened.read(NAMES)) == GOOD
    assert device.connections == connections
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_loss_of_the_connection_is_noticed_at_once(device, port):
    device.once.append(faults.HangUp())
    async with driver.open_device(settings_of(port, timeout_s=30)) as opened, asyncio.timeout(1):
        with pytest.raises(DeviceUnreachableError):
            await opened.read(NAMES)


@pytest.mark.parametrize(
    "fault",
    [faults.Short(), faults.WrongUnit(), faults.WrongFunction()],
    ids=lambda fault: type(fault).__name__,
)
async def test_wrong_answer_by_chance_is_asked_again(device, port, fault):
    device.once.append(fault)
    async with driver.open_device(settings_of(port)) as opened:
        assert values(await opened.read(NAMES)) == GOOD
    assert device.connections == 1


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (faults.Short(), "gave 0 bytes of data|gave 6 bytes of data when asked for 8"),
        (faults.WrongUnit(), "answered as unit 2, not as 1"),
        (faults.WrongFunction(), "answered function 4 when asked for 3"),
        (faults.Refuse(2), r"exception 0x02 \(illegal data address\)"),
        (faults.Refuse(1), "illegal function"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_device_that_never_gave_anything_and_refuses_all_raises(
    device, port, fault, complaint
):
    device.faults[1] = fault
    async with driver.open_device(settings_of(port)) as opened:
        with pytest.raises(DeviceRefusedError, match=complaint) as caught:
            await opened.read(NAMES)
        assert caught.value.hint or isinstance(fault, faults.WrongUnit | faults.WrongFunction)
        device.faults.clear()
        assert values(await opened.read(NAMES)) == GOOD


async def test_known_device_that_is_busy_gives_bad_readings_and_learns_nothing(device, port):
    async with driver.open_device(settings_of(port)) as opened:
        await opened.read(NAMES)
        device.once.append(faults.Refuse(6))
        assert reasons(await opened.read(NAMES)) == dict.fromkeys(NAMES, "device_error:0x06")
        assert values(await opened.read(NAMES)) == GOOD


async def test_late_answer_is_not_taken_for_the_next_one(device, port, caplog):
    async with driver.open_device(settings_of(port)) as opened:
        device.once.append(faults.Slow(TIMEOUT_S + 0.05))
        with pytest.raises(UnitSilentError):
            await opened.read(["p0"])
        assert values(await opened.read(["p3"])) == {"p3": 13}
        assert values(await opened.read(["p1"])) == {"p1": 11}
    assert device.connections == 1
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_silent_range_costs_only_its_own_points(device, port):
    far = [{"name": "far", "address": 180}]
    points = [{"name": name, "address": a} for a, name in enumerate(NAMES)] + far
    async with driver.open_device(settings_of(port, points)) as opened:
        await opened.read([*NAMES, "far"])
        device.once += [faults.Fault(), faults.Silence()]
        readings = await opened.read([*NAMES, "far"])
    assert reasons(readings) == {"far": "no_answer"}


async def test_silent_range_that_comes_first_is_asked_for_last_from_then_on(device, port):
    points = [{"name": "near", "address": 0}, {"name": "far", "address": 180}]
    settings = settings_of(port, points)
    async with driver.open_device(settings) as opened:
        device.once.append(faults.Silence())
        with pytest.raises(UnitSilentError):
            await opened.read(["near", "far"])
    async with driver.open_device(settings) as opened:  # as the runtime does after an outage
        device.once += [faults.Fault(), faults.Silence()]
        assert reasons(await opened.read(["near", "far"])) == {"near": "no_answer"}


async def test_connection_is_made_anew_after_three_timeouts_in_a_row(device, port):
    async with driver.open_device(settings_of(port, timeout_s=0.1)) as opened:
        device.once += [faults.Silence()] * 3
        for _ in range(3):
            with pytest.raises(UnitSilentError):
                await opened.read(NAMES)
        assert values(await opened.read(NAMES)) == GOOD
    assert device.connections == 2


async def test_cancelled_read_leaves_the_line_usable(device, port):
    async with driver.open_device(settings_of(port, timeout_s=5)) as opened:
        silence = ToldSilence()
        device.once.append(silence)
        task = asyncio.create_task(opened.read(NAMES))
        await silence.began.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert values(await opened.read(NAMES)) == GOOD


@pytest.mark.parametrize(
    ("host", "complaint"),
    [("cellar..example", "no host name"), ("127.0.0.1", "cannot be reached")],
)
async def test_address_that_leads_nowhere_is_unreachable(host, complaint):
    async with serve_faulty(FaultyDevice()) as port:
        pass  # nobody listens there from now on
    async with driver.open_device(settings_of(port, host=host)) as opened:
        with pytest.raises(DeviceUnreachableError, match=complaint):
            await opened.read(NAMES)
