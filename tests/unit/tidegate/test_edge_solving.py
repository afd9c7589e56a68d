import struct
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.edge.byte_orders import CODES, most_significant_first, orders_of
from tidegate.edge.solving import (
    Current,
    engineering,
    is_clear,
    read_display,
    scales_for,
    solve,
)

PLAIN = Current("uint16", "ABCD", Decimal(1))


def registers(number, kind, order="ABCD", shift=0, rest=b""):
    """The registers around a point that hold a number ``shift`` addresses away from it."""
    came = most_significant_first(struct.pack(f">{CODES[kind]}", number), order) + rest
    return {shift + i // 2: came[i : i + 2] for i in range(0, len(came), 2)}


def best(reads, display, current=PLAIN):
    reads = reads if isinstance(reads, list) else [reads]
    return solve(reads, read_display(display), current)[0]


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_a_float_is_found_in_every_order(order):
    guess = best(registers(231.4, "float32", order), "231.4").guess
    assert (guess.type, guess.order, guess.scale, guess.shift) == ("float32", order, 1, 0)


@pytest.mark.parametrize(
    ("number", "kind", "scale", "display"),
    [
        (2314, "uint16", "0.1", "231.4"),
        (23140, "uint16", "0.01", "231.40"),
        (-123, "int16", "0.1", "-12.3"),
        (4711, "uint16", "10", "47110"),
        (1234567, "uint32", "0.001", "1234.567"),
        (9876543210, "uint64", "0.001", "9876543.210"),
    ],
)
def test_type_and_scale_are_found(number, kind, scale, display):
    found = best(registers(number, kind, rest=b"\x5a\x5a" * 3), display)
    assert found.guess.scale == Decimal(scale)
    assert found.guess.shift == 0
    assert found.exact


def test_what_fits_already_comes_first():
    current = Current("float32", "CDAB", Decimal(1))
    found = best(registers(231.4, "float32", "CDAB"), "231.4", current)
    assert (found.cost, found.why) == (0, ())


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
def test_an_address_that_is_off_is_found(shift):
    around = dict.fromkeys(range(-2, 6), b"\xee\xee") | registers(2314, "uint16", shift=shift)
    found = best(around, "231.4")
    assert (found.guess.shift, found.guess.scale) == (shift, Decimal("0.1"))
    assert "another address" in found.why


def test_the_point_itself_wins_over_a_neighbour_that_reads_the_same():
    around = registers(2314, "uint16") | registers(2314, "uint16", shift=1)
    assert best(around, "231.4").guess.shift == 0


def test_a_value_that_moved_meanwhile_still_fits():
    found = best(registers(232.1, "float32"), "231.4")
    assert found.guess.type == "float32"
    assert not found.exact
    assert "not to the last digit" in found.why


def test_a_value_that_moved_too_far_does_not():
    reads = [registers(250.0, "float32")]
    found = solve(reads, read_display("231.4"), Current("float32", "ABCD", Decimal(1)))
    assert not [c for c in found if c.guess.type == "float32" and c.guess.scale == 1]


def test_what_jumps_from_read_to_read_is_doubted():
    steady = [registers(231.4, "float32", shift=1) for _ in range(3)]
    reads = [registers(n, "uint16") | s for n, s in zip((2314, 9000, 41), steady, strict=True)]
    found = solve(reads, read_display("231.4"), PLAIN)
    jumping = next(c for c in found if c.guess.shift == 0 and c.guess.scale == Decimal("0.1"))
    assert "jumps from read to read" in jumping.why
    assert found[0].guess.type == "float32"


def test_fahrenheit_in_the_device_is_recognised():
    current = Current("uint16", "ABCD", Decimal(1), unit="Cel")
    found = best(registers(716, "uint16"), "22.0", current)
    assert found.guess.conversion is not None
    assert found.value == pytest.approx(22.0)
    assert "°F" in found.guess.conversion.title


def test_kelvin_in_the_device_is_recognised():
    current = Current("uint16", "ABCD", Decimal("0.1"), unit="Cel")
    found = best(registers(2951, "uint16"), "21.95", current)
    assert found.value == pytest.approx(21.95)


def test_the_other_sign_is_a_last_resort():
    found = best(registers(231, "uint16"), "-231")
    assert found.guess.scale == -1
    assert "the other sign" in found.why


def test_what_the_device_refused_is_no_candidate():
    assert solve([{}], read_display("231.4"), PLAIN) == []
    found = solve([registers(231.4, "float32") | {1: b""}], read_display("231.4"), PLAIN)
    assert not [c for c in found if c.guess.type == "float32"]


def test_an_offset_that_is_there_is_kept():
    current = Current("uint16", "ABCD", Decimal("0.1"), Decimal(-50))
    assert best(registers(714, "uint16"), "21.4", current).cost == 0


def test_a_clear_lead_is_called_so():
    found = solve([registers(231.4567, "float32")], read_display("231.4567"), PLAIN)
    assert is_clear(found[:1])
    assert not is_clear([])
    assert not is_clear([found[0], replace(found[0], cost=found[0].cost + 0.5)])


def test_scales_alone_for_a_protocol_with_types():
    current = Current("float64", "ABCD", Decimal(1))
    found = scales_for([23140.0], read_display("23.14"), current)
    assert found[0].guess.scale == Decimal("0.001")


@pytest.mark.parametrize("text", ["", "abc", "NaN", "inf", "1e99", "1" * 40, "0", "0.00"])
def test_what_is_no_help_is_refused(text):
    with pytest.raises(ValueError, match=r"no number|0 fits"):
        read_display(text)


def test_a_display_with_a_comma_is_understood():
    display = read_display("231,40")
    assert (float(display.value), display.resolution, display.digits) == (231.4, 0.005, 5)


KINDS = ["int16", "uint16", "int32", "uint32", "float32"]


@given(st.sampled_from(KINDS), st.data())
def test_the_truth_is_always_among_the_candidates(kind, data):
    order = data.draw(st.sampled_from(orders_of(kind)))
    scale = data.draw(st.sampled_from(["1", "0.1", "0.01", "10"]))
    number = data.draw(st.integers(100, 30_000))
    shown = f"{number * Decimal(scale):f}"
    found = solve([registers(number, kind, order)], read_display(shown), PLAIN)
    assert any(
        c.guess.order == order and c.guess.scale == Decimal(scale) and c.guess.shift == 0
        for c in found
    )


@given(st.lists(st.binary(min_size=2, max_size=2), min_size=8, max_size=8))
def test_every_candidate_is_within_the_tolerance(words):
    around = dict(zip(range(-2, 6), words, strict=True))
    display = read_display("231.4")
    for candidate in solve([around], display, PLAIN):
        assert abs(candidate.value - 231.4) <= display.tolerance
        assert engineering(candidate.guess, 0) is not None
