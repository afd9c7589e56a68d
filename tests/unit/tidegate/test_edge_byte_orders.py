import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.edge.byte_orders import (
    CODES,
    ORDERS,
    in_every_order,
    most_significant_first,
    number_in,
    orders_of,
    size_of,
)

WHOLE = sorted(kind for kind in CODES if "int" in kind)


@pytest.mark.parametrize(
    ("order", "came"),
    [("ABCD", "01020304"), ("CDAB", "03040102"), ("BADC", "02010403"), ("DCBA", "04030201")],
)
def test_each_order_is_turned_back(order, came):
    assert most_significant_first(bytes.fromhex(came), order) == bytes([1, 2, 3, 4])


def test_a_known_float_in_all_orders():
    orders = in_every_order(bytes.fromhex("43676666"), "float32")
    assert orders["ABCD"] == pytest.approx(231.4)
    assert tuple(orders) == ORDERS


@given(st.sampled_from(WHOLE), st.sampled_from(ORDERS), st.data())
def test_whole_numbers_survive(kind, order, data):
    bits = 8 * size_of(kind)
    low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    number = data.draw(st.integers(low, high))
    plain = struct.pack(f">{CODES[kind]}", number)
    assert number_in(most_significant_first(plain, order), kind, order) == number


@given(st.binary(max_size=9), st.sampled_from([*CODES, "string", ""]))
def test_any_bytes_give_a_finite_number_or_none(data, kind):
    for number in in_every_order(data, kind).values():
        assert number is None or math.isfinite(number)


def test_bytes_of_another_length_are_no_number():
    assert number_in(b"\0\0\0", "uint32", "ABCD") is None
    assert in_every_order(b"\0\0\0\0", "uint16") == {}


def test_one_register_has_two_orders():
    assert orders_of("int16") == ("ABCD", "BADC")
