import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.modbus.decode import compile_bits, compile_registers, encode
from components.modbus.settings import Point, WordOrder
from edge_runtime.model import Quality
from simulators.modbus.image import words_of

ORDERS = list(WordOrder)
INTEGERS = {
    "int16": (-(1 << 15), (1 << 15) - 1),
    "uint16": (0, (1 << 16) - 1),
    "int32": (-(1 << 31), (1 << 31) - 1),
    "uint32": (0, (1 << 32) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
    "uint64": (0, (1 << 64) - 1),
}


def decode(points, words, first=0, order=WordOrder.ABCD):
    data = struct.pack(f">{len(words)}H", *words)
    return {reading.point: reading for reading in compile_registers(points, first, order)(data)}


def value_of(words, **fields):
    return decode([Point(name="a", address=0, **fields)], words)["a"].value


@pytest.mark.parametrize(
    ("order", "wire"),
    [("ABCD", "11223344"), ("CDAB", "33441122"), ("BADC", "22114433"), ("DCBA", "44332211")],
)
def test_letters_say_where_the_bytes_are_on_the_wire(order, wire):
    words = struct.unpack(">2H", bytes.fromhex(wire))
    assert value_of(words, type="uint32", word_order=order) == 0x11223344


@pytest.mark.parametrize(
    ("order", "wire"),
    [
        ("ABCD", "1122334455667788"),
        ("CDAB", "7788556633441122"),
        ("BADC", "2211443366558877"),
        ("DCBA", "8877665544332211"),
    ],
)
def test_64_bit_values_follow_the_same_pattern(order, wire):
    words = struct.unpack(">4H", bytes.fromhex(wire))
    assert value_of(words, type="uint64", word_order=order) == 0x1122334455667788


@given(st.data())
def test_integers_of_all_types_and_orders_come_back(data):
    kind = data.draw(st.sampled_from(sorted(INTEGERS)))
    order = data.draw(st.sampled_from(ORDERS))
    value = data.draw(st.integers(*INTEGERS[kind]))
    assert value_of(words_of(kind, value, order), type=kind, word_order=order) == value


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(ORDERS))
def test_doubles_of_all_orders_come_back(value, order):
    assert value_of(words_of("float64", value, order), type="float64", word_order=order) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(ORDERS))
def test_floats_of_all_orders_come_back(value, order):
    assert value_of(words_of("float32", value, order), type="float32", word_order=order) == value


@given(st.data())
def test_what_is_encoded_is_what_the_device_reads(data):
    kind = data.draw(st.sampled_from(sorted(INTEGERS)))
    order = data.draw(st.sampled_from(ORDERS))
    value = data.draw(st.integers(*INTEGERS[kind]))
    point = Point(name="a", address=0, type=kind, word_order=order)
    assert encode(point, value, WordOrder.ABCD) == words_of(kind, value, order)


def test_points_of_a_request_with_gaps_and_orders_are_told_apart():
    points = [
        Point(name="a", address=10),
        Point(name="b", address=13, type="float32", word_order="CDAB"),
        Point(name="c", address=15, type="int32"),
    ]
    words = [7, 0, 0, *words_of("float32", 1.5, "CDAB"), *words_of("int32", -9)]
    readings = decode(points, words, first=10)
    assert {name: reading.value for name, reading in readings.items()} == {
        "a": 7,
        "b": 1.5,
        "c": -9,
    }


def test_register_of_a_pair_can_be_a_point_of_its_own():
    points = [Point(name="pair", address=0, type="uint32"), Point(name="low", address=1)]
    readings = decode(points, [1, 2])
    assert (readings["pair"].value, readings["low"].value) == (0x10002, 2)


def test_bit_points_share_the_raw_register():
    readings = decode([Point(name=f"b{i}", address=0, bit=i) for i in range(3)], [0b101])
    assert [readings[f"b{i}"].value for i in range(3)] == [5, 5, 5]


def test_device_order_holds_where_a_point_has_none():
    point = Point(name="a", address=0, type="uint32")
    assert decode([point], [2, 1], order=WordOrder.CDAB)["a"].value == 0x10002


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_implemented(value):
    points = [
        Point(name="bad", address=0, type="float32"),
        Point(name="good", address=2, type="float32"),
    ]
    readings = decode(points, [*words_of("float32", value), *words_of("float32", 2.5)])
    bad = readings["bad"]
    assert (bad.value, bad.quality, bad.reason) == (None, Quality.BAD, "not_implemented")
    assert readings["good"].value == 2.5


@pytest.mark.parametrize(
    ("order", "raw"), [("ABCD", b"AB12\0\0"), ("CDAB", b"AB12\0\0"), ("BADC", b"BA21\0\0")]
)
def test_string_ends_at_the_first_nul(order, raw):
    words = struct.unpack(">3H", raw)
    assert value_of(words, type="string", length=3, word_order=order) == "AB12"


def test_string_in_another_encoding_is_bad():
    reading = decode([Point(name="a", address=0, type="string", length=1)], [0xFFFF])["a"]
    assert (reading.quality, reading.reason) == (Quality.BAD, "configuration:encoding")


def test_bits_start_with_the_lowest_of_the_first_byte():
    points = [Point(name=f"c{a}", table="coil", address=a) for a in (20, 27, 28, 38)]
    readings = compile_bits(points, 20)(bytes([0b10000001, 0b00000000, 0b00000100]))
    assert [reading.value for reading in readings] == [True, True, False, True]


@pytest.mark.parametrize(
    ("fields", "value", "complaint"),
    [
        ({"type": "int16"}, 40_000, "does not fit"),
        ({"type": "uint16"}, -1, "does not fit"),
        ({"type": "uint16"}, 1.5, "whole number"),
        ({"type": "float32"}, 1e300, "does not fit"),
        ({"type": "string", "length": 1}, "abc", "do not fit 1 registers"),
    ],
)
def test_value_that_does_not_fit_is_refused(fields, value, complaint):
    with pytest.raises(ValueError, match=complaint):
        encode(Point(name="a", address=0, **fields), value, WordOrder.ABCD)
