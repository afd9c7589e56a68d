from decimal import Decimal

import pytest
import yaml

from components.modbus.driver import driver
from components.modbus.settings import Point, Settings
from edge_runtime.errors import DeviceUnreachableError, SettingsError
from edge_runtime.settings import ConfiguredDevice
from simulators.manual_clock import ManualClock
from simulators.memory_device import MemoryDevices, MemorySettings
from tidegate.edge.side_by_side import (
    changes_for,
    current_of,
    reads_registers,
    solve_point,
    with_neighbours,
    yaml_line,
)
from tidegate.edge.solving import FAHRENHEIT, Candidate, Guess, read_display


def meter(**more):
    point = Point(name="voltage", address=more.pop("address", 10), **more.pop("point", {}))
    return Settings(name="meter", host="192.0.2.1", points=(point,), **more)


def changes(guess, **more):
    settings = meter(**more)
    candidate = Candidate(guess, 231.4, 0.0, exact=True)
    return changes_for(settings.points[0], candidate, settings)


def guess(kind="uint16", order="ABCD", scale="1", shift=0, conversion=None):
    return Guess(shift, kind, order, Decimal(scale), conversion)


def test_only_what_differs_is_changed():
    assert changes(guess()) == {}
    assert changes(guess("float32", "CDAB")) == {"type": "float32", "word_order": "CDAB"}
    assert changes(guess(scale="0.1", shift=-1)) == {"address": 9, "scale": 0.1}


def test_words_of_one_register_need_no_order():
    assert changes(guess("int16", "ABCD"), word_order="CDAB") == {"type": "int16"}


def test_the_order_of_the_device_counts_as_the_points():
    assert changes(guess("float32", "CDAB"), word_order="CDAB") == {"type": "float32"}


def test_fahrenheit_becomes_scale_and_offset():
    told = changes(guess(scale="0.1", conversion=FAHRENHEIT), point={"unit": "Cel"})
    assert told["scale"] == pytest.approx(0.1 * 5 / 9)
    assert told["offset"] == pytest.approx(-160 / 9)


def test_an_offset_goes_with_its_scale():
    more = {"point": {"scale": 0.1, "offset": -50}}
    assert changes(guess(scale="0.1"), **more) == {}
    assert changes(guess(scale="0.01"), **more) == {"scale": 0.01, "offset": 0.0}


def test_how_a_point_is_read_now():
    settings = meter(word_order="CDAB", point={"type": "uint32", "scale": 0.1, "unit": "V"})
    now = current_of(settings.points[0], settings)
    assert (now.type, now.order, now.scale, now.unit) == ("uint32", "CDAB", Decimal("0.1"), "V")


def addresses(settings):
    around = with_neighbours(ConfiguredDevice(driver, settings), settings.points[0])
    return [point.address for point in around.settings.points]


def test_neighbours_are_two_before_and_what_the_longest_number_needs_behind():
    assert addresses(meter()) == list(range(8, 16))


@pytest.mark.parametrize(
    ("address", "found"), [(0, [0, 1, 2, 3, 4, 5]), (65_535, [65_533, 65_534, 65_535])]
)
def test_neighbours_end_with_the_table(address, found):
    assert addresses(meter(address=address)) == found


def test_what_must_not_be_read_is_no_neighbour():
    hole = {"table": "holding", "first": 11, "last": 13}
    assert addresses(meter(unreadable=(hole,))) == [8, 9, 10, 14, 15]


@pytest.mark.parametrize(("table", "registers"), [("input", True), ("coil", False)])
def test_only_registers_have_neighbours(table, registers):
    point = Point(name="a", address=1, table=table)
    assert reads_registers(point) is registers
    assert not reads_registers(MemorySettings(name="m", points=({"name": "a"},)).points[0])


def test_the_line_is_yaml():
    fields = {"name": "a", "scale": 0.1, "scale_point": None, "type": "int16"}
    assert yaml.safe_load(yaml_line(fields)) == [fields]


# --- a protocol that names its types -------------------------------------------------------------


@pytest.fixture
def memory():
    memory = MemoryDevices()
    memory.place().values["level"] = 23_140.0
    return memory


def device(memory, **point):
    settings = MemorySettings(name="tank", points=({"name": "level", "unit": "m", **point},))
    return ConfiguredDevice(memory.driver(), settings)


async def test_only_factors_are_tried(memory):
    solution = await solve_point(
        device(memory), "level", read_display("23.14"), ManualClock(), reads=1
    )
    assert solution.proposals[0].changes == {"scale": 0.001}
    assert "only scales were tried" in solution.notes[0]
    assert solution.registers == {}


async def test_few_digits_are_pointed_out(memory):
    solution = await solve_point(
        device(memory), "level", read_display("23"), ManualClock(), reads=1
    )
    assert "few digits" in solution.notes[-1]


@pytest.mark.parametrize("point", [{"kind": "text"}, {"bit": 3, "kind": "boolean"}])
async def test_what_is_no_number_cannot_be_solved(memory, point):
    with pytest.raises(SettingsError, match="is no number"):
        await solve_point(
            device(memory, **point), "level", read_display("23"), ManualClock(), reads=1
        )


async def test_a_silent_device_says_so(memory):
    memory.place().reachable = False
    with pytest.raises(DeviceUnreachableError):
        await solve_point(device(memory), "level", read_display("23.1"), ManualClock(), reads=1)
