"""What the driver makes of SunSpec devices, and of those that are none."""

import asyncio
import random

import pytest

from components.modbus.driver import driver as modbus
from components.sunspec.driver import driver
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.modbus import faults
from simulators.modbus.faults import FaultyDevice, serve_faulty
from simulators.modbus.faulty_rtu import serve_faulty_rtu
from simulators.modbus.image import put, put_text
from simulators.modbus.server import serve
from simulators.sunspec.book import Book, address_of
from simulators.sunspec.inverter import Inverter
from simulators.sunspec.site import INVERTER_UNIT, units

TIMEOUT_S = 0.3
POINTS = [
    {"name": "power", "model": 103, "field": "W"},
    {"name": "sink", "model": 103, "field": "TmpSnk"},
    {"name": "state", "model": 103, "field": "St"},
    {"name": "string", "model": 160, "field": "DCV", "index": 2},
    {"name": "limit", "model": 123, "field": "WMaxLimPct"},
    {"name": "enabled", "model": 123, "field": "WMaxLim_Ena"},
    {"name": "serial", "model": 1, "field": "SN"},
]
NAMES = [point["name"] for point in POINTS]


def settings_of(port, points=POINTS, **fields):
    fields = {"host": "127.0.0.1", "port": port, "unit": 1, "timeout_s": TIMEOUT_S, **fields}
    return driver.settings(name="device", points=points, **fields)


def registers_of(base=40_000, power=None, **scale):
    table = {}
    book = Book(table, base)
    book.add(1, {"Mn": "Tidegate", "SN": "INV-1"})
    book.add(103, {"W": 1_500.0 if power is None else power, "W_SF": 0, "St": 4, **scale})
    book.add(123, {"WMaxLimPct": 100.0, "WMaxLimPct_SF": -1, "WMaxLim_Ena": 0})
    book.add(160, {"DCV_SF": -1, "N": 2}, [{"ID": 1, "DCV": 560.0}, {"ID": 2, "DCV": 605.5}])
    book.close()
    return table, book.starts


def device_with(table):
    return FaultyDevice(registers=table, units={1})


def values(readings):
    return {reading.point: reading.value for reading in readings}


def reasons(readings):
    return {r.point: r.reason for r in readings if r.quality is not Quality.GOOD}


GOOD = {
    "power": 1_500, "sink": None, "state": 4, "string": 605.5, "limit": 100.0, "enabled": 0,
    "serial": "INV-1",
}  # fmt: skip


@pytest.mark.parametrize("base", [40_000, 50_000, 0])
async def test_models_are_found_at_each_base(base):
    async with (
        serve_faulty(device_with(registers_of(base)[0])) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        readings = await opened.read(NAMES)
    assert values(readings) == GOOD
    assert reasons(readings) == {"sink": "not_implemented"}


async def test_models_are_found_once_and_each_is_read_with_one_request():
    device = device_with(registers_of()[0])
    async with (
        serve_faulty(device) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        await opened.read(NAMES)
        device.asked.clear()
        await opened.read(NAMES)
        assert len(device.asked) == 4
        await opened.read(["power", "state"])
        assert len(device.asked) == 5


async def test_models_are_found_anew_with_each_opening():
    """An update of the device's program may move everything."""
    device = device_with(registers_of()[0])
    async with serve_faulty(device) as port:
        for base in (40_000, 0):
            device.registers = registers_of(base)[0]
            async with driver.open_device(settings_of(port)) as opened:
                assert values(await opened.read(["serial"])) == {"serial": "INV-1"}


async def test_scale_factor_that_moves_is_read_with_the_value():
    device = device_with(registers_of(power=1_234.5, W_SF=-1)[0])
    async with (
        serve_faulty(device) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        assert values(await opened.read(["power"])) == {"power": 1_234.5}
        device.registers = registers_of(power=30_000.0, W_SF=1)[0]
        assert values(await opened.read(["power"])) == {"power": 30_000}


@pytest.mark.parametrize(
    ("factor", "reason"), [(-32_768, "not_implemented"), (11, "device_error:scale_factor")]
)
async def test_value_with_a_bad_scale_factor_is_bad(factor, reason):
    table, starts = registers_of()
    put(table, starts[103] + address_of(103, "W_SF"), "int16", factor)
    async with (
        serve_faulty(device_with(table)) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        assert reasons(await opened.read(["power", "state"])) == {"power": reason}


async def test_what_a_device_lacks_is_bad_for_a_reason():
    points = [
        {"name": "model", "model": 203, "field": "W"},
        {"name": "module", "model": 160, "field": "DCV", "index": 3},
        {"name": "second", "model": 103, "field": "W", "instance": 2},
        {"name": "state", "model": 103, "field": "St"},
    ]
    async with (
        serve_faulty(device_with(registers_of()[0])) as port,
        driver.open_device(settings_of(port, points)) as opened,
    ):
        readings = await opened.read([point["name"] for point in points])
    assert reasons(readings) == {
        "model": "device_error:no_model", "module": "device_error:no_index",
        "second": "device_error:no_model",
    }  # fmt: skip


async def test_chain_may_end_by_an_exception():
    table, starts = registers_of()
    end = starts[160] + 2 + 8 + 2 * 20
    del table[end], table[end + 1]
    async with (
        serve_faulty(device_with(table)) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        assert values(await opened.read(NAMES)) == GOOD


@pytest.mark.parametrize("fault", [faults.Refuse(6), faults.Short()], ids=["busy", "short"])
async def test_list_of_models_that_was_cut_off_is_not_taken_for_all(fault):
    device = device_with(registers_of()[0])
    async with (
        serve_faulty(device) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        device.once += [faults.Fault(), faults.Fault(), fault]
        with pytest.raises(DeviceRefusedError):
            await opened.read(NAMES)
        assert values(await opened.read(NAMES)) == GOOD


async def test_device_without_sunspec_says_so():
    async with (
        serve_faulty(FaultyDevice(registers={0: 1, 1: 2})) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        with pytest.raises(DeviceRefusedError, match="no SunSpec marker") as caught:
            await opened.read(NAMES)
    assert "switched off" in caught.value.hint


async def test_silent_device_costs_one_timeout():
    device = device_with(registers_of()[0])
    device.faults[1] = faults.Silence()
    async with (
        serve_faulty(device) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        with pytest.raises(DeviceUnreachableError) as caught:
            await opened.read(NAMES)
    assert "'base'" in caught.value.hint
    assert len(device.asked) == 1


async def test_length_that_leads_past_the_end_of_the_table_ends_the_chain():
    table, starts = registers_of()
    table[starts[123] + 1] = 0xFFF0
    async with (
        serve_faulty(device_with(table)) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        readings = await opened.read(NAMES)
    assert set(reasons(readings).values()) == {"not_implemented", "device_error:no_model"}


# --- writing ------------------------------------------------------------------------------------


async def test_write_goes_through_the_scale_factor_and_is_obeyed():
    inverter = Inverter()
    async with (
        serve({1: inverter}) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        await opened.write("limit", 37.5)
        await opened.write("enabled", 1)
        assert values(await opened.read(["limit", "enabled"])) == {"limit": 37.5, "enabled": 1}
    assert (inverter.limit_pct, inverter.limited) == (37.5, True)


@pytest.mark.parametrize(
    ("point", "value", "complaint"),
    [
        ("power", 1, "model 103 says so"),
        ("serial", "X", "model 1 says so"),
        ("limit", 37.55, "between two steps of 0.1"),
        ("limit", 7_000, "does not fit a uint16"),
        ("limit", 6_553.5, "not implemented"),
        ("limit", "much", "is no number"),
        ("enabled", 0.5, "between two steps"),
    ],
)
async def test_write_that_does_not_fit_is_refused(point, value, complaint):
    async with (
        serve_faulty(device_with(registers_of()[0])) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        with pytest.raises(DeviceRefusedError, match=complaint):
            await opened.write(point, value)


# --- lines --------------------------------------------------------------------------------------


async def test_sunspec_and_modbus_share_a_serial_line():
    device = FaultyDevice(registers={**registers_of()[0], 7: 77}, units={1, 2})
    async with serve_faulty_rtu(device) as port:
        serial = {"port": port, "parity": "none", "baudrate": 115_200}
        one = driver.settings(name="one", serial=serial, unit=1, points=POINTS)
        two = modbus.settings(
            name="two", serial=serial, unit=2, points=[{"name": "word", "address": 7}]
        )
        assert driver.connection(one) == modbus.connection(two)
        async with driver.open_device(one) as sunspec, modbus.open_device(two) as plain:
            readings, words = await asyncio.gather(sunspec.read(NAMES), plain.read(["word"]))
    assert values(readings) == GOOD
    assert values(words) == {"word": 77}


async def test_registers_are_shown_beneath_a_value():
    async with (
        serve_faulty(device_with(registers_of()[0])) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        [found] = await opened.inspect(["string"])
    assert found.reading.value == 605.5
    assert found.shown.endswith(", scale factor -1")
    assert found.data == (6_055).to_bytes(2, "big")


# --- an independent reader ----------------------------------------------------------------------


async def test_pysunspec2_reads_what_we_simulate_and_what_we_read():
    import sunspec2.modbus.client as peer  # noqa: PLC0415 - slow to load

    def scan(port, unit):
        device = peer.SunSpecModbusClientDeviceTCP(
            slave_id=unit, ipaddr="127.0.0.1", ipport=port, timeout=2
        )
        try:
            device.scan()
            return {model: device.models[model][0] for model in device.models if type(model) is int}
        finally:
            device.close()

    async with serve(units()) as port:
        models = await asyncio.to_thread(scan, port, INVERTER_UNIT)
        assert list(models) == [1, 103, 120, 121, 123, 160]
        async with driver.open_device(settings_of(port)) as opened:
            ours = values(await opened.read(NAMES))
        assert list(await asyncio.to_thread(scan, port, 2)) == [1, 203]
    assert models[1].SN.cvalue == ours["serial"] == "INV-0010"
    assert models[103].TmpSnk.cvalue is ours["sink"] is None
    assert models[123].WMaxLimPct.cvalue == ours["limit"] == 100.0
    assert models[160].module[1].DCV.cvalue == pytest.approx(ours["string"], abs=5)


# --- nonsense -----------------------------------------------------------------------------------


class Nonsense(dict):
    """Registers that hold anything, behind a marker."""

    def __init__(self, seed, most):
        super().__init__()
        self._chance, self._most = random.Random(seed), most
        put_text(self, 40_000, "SunS", 2)

    def __missing__(self, address):
        self[address] = self._chance.randint(0, self._most)
        return self[address]


@pytest.mark.parametrize("most", [0, 1, 3, 200, 0x7FFF, 0xFFFF])
async def test_chain_of_nonsense_is_read_to_an_end(most):
    device = device_with(Nonsense(most, most))
    async with (
        serve_faulty(device) as port,
        driver.open_device(settings_of(port)) as opened,
    ):
        readings = await opened.read(NAMES)
    assert sorted(reading.point for reading in readings) == sorted(NAMES)
    assert len(device.asked) < 300
