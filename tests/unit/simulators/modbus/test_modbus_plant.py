import pytest

from simulators.modbus.image import Image, put, put_text, words_of
from simulators.modbus.level_transmitter import is_silent
from simulators.modbus.plant import PLANT, Simulated
from simulators.modbus.pump_station import PumpStation

BY_NAME = {device.name: device for device in PLANT}
MIDNIGHT_S = 8 * 3600.0


def history(name, seconds, step=1.0):
    """Run a device from 8 o'clock on; gives its images."""
    simulated = Simulated(BY_NAME[name].model(1), midnight_s=MIDNIGHT_S)
    for i in range(1, int(seconds / step) + 1):
        simulated.advance(i * step)
        yield simulated.model.image()


def longest_run(flags):
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize("first_s", [0, 60, 120])
def test_pressure_stays_above_6_bar_for_more_than_5_s_early_and_every_minute(first_s):
    bars = [image.inputs[1] / 100 for image in history("pump-station", first_s + 25, 0.1)]
    assert longest_run(bar > 6.0 for bar in bars[first_s * 10 :]) > 70
    assert min(bars[first_s * 10 :]) < 5.0


def test_pumps_take_turns_and_keep_the_well_between_its_levels():
    images = list(history("pump-station", 1_800))
    levels = [image.inputs[0] / 1000 for image in images[300:]]
    running = {image.inputs[10] & 0b11 for image in images}
    assert 0.5 < min(levels) < max(levels) < 2.2
    assert running == {0b00, 0b01, 0b10}


def test_operating_hours_grow_only_while_a_pump_runs():
    station = PumpStation(1)
    simulated = Simulated(station)
    simulated.advance(1_800.0)
    assert 0 < station.pumps[0].hours - 8_412.4 < 0.5


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_values_move(name):
    images = list(history(name, 30))
    assert images[0] != images[-1]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_same_seed_gives_the_same_values(name):
    assert list(history(name, 5)) == list(history(name, 5))


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_table_keeps_its_addresses(name):
    first, *rest = history(name, 20)
    assert all(image.holding.keys() == first.holding.keys() for image in rest)
    assert all(image.inputs.keys() == first.inputs.keys() for image in rest)


def test_transmitter_is_silent_for_8_of_40_seconds():
    assert sum(is_silent(t / 10) for t in range(1_000, 1_400)) == 80
    assert not any(is_silent(float(t)) for t in range(16))


def test_set_point_of_the_air_handling_unit_stays_within_limits():
    unit = BY_NAME["air-handling-unit"].model(1)
    unit.write(4, [225])
    assert unit.image().holding[4] == 225
    unit.write(4, [900])
    assert unit.image().holding[4] == 280


def test_start_level_stays_above_the_stop_level():
    station = PumpStation()
    station.write(0, [600])
    assert station.image().holding[0] == 1800
    station.write(0, [1900, 800])
    assert [station.image().holding[i] for i in (0, 1)] == [1900, 800]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x1122, 0x3344]),
        ("CDAB", [0x3344, 0x1122]),
        ("BADC", [0x2211, 0x4433]),
        ("DCBA", [0x4433, 0x2211]),
    ],
)
def test_orders_lay_bytes_where_the_letters_say(order, words):
    assert words_of("uint32", 0x11223344, order) == words


def test_text_is_filled_up_with_nul():
    image = Image()
    put_text(image.holding, 4, "AB1", 3)
    put(image.holding, 7, "uint16", 70_000)
    assert image.holding == {4: 0x4142, 5: 0x3100, 6: 0, 7: 0xFFFF}
