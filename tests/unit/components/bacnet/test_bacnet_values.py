"""Values of tags, and tags of values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.bacnet.values import Kind, NoValueError, as_switch, encode, kind_of, value_of
from components.bacnet.wire import DamagedError, read_tags


def decoded(text):
    return value_of(read_tags(bytes.fromhex(text)))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("11", True),
        ("10", False),
        ("22ffff", 65_535),
        ("31fe", -2),
        ("4441aa6666", 21.3),
        ("55083fb999999999999a", 0.1),
        ("62beef", "beef"),
        ("750400c3a461", "äa"),
        ("75030400e4", "ä"),
        ("820440", 2),
        ("9101", 1),
        ("a47e0b18ff", "2026-11-24"),
        ("b40d0a1e05", "13:10:30.05"),
        ("c400000001", "0,1"),
        ("a47e0b1802b40d0a0000", "2026-11-24T13:10:00.00"),
    ],
)
def test_value_is_read(data, value):
    assert decoded(data) == value


@pytest.mark.parametrize(
    "data", ["00", "447fc00000", "447f800000", "a4ff0b18ff", "b4ff0a1e05"], ids=str
)
def test_what_is_no_value_says_so(data):
    with pytest.raises(NoValueError):
        decoded(data)


@pytest.mark.parametrize(
    "data",
    ["", "21012102", "0901", "2e2f", "4341aa66", "20", "7101", "71", "80", "8108", "a3000000", "d0"],
    ids=str,
)  # fmt: skip
def test_what_is_not_one_simple_value_is_refused(data):
    with pytest.raises(DamagedError):
        decoded(data)


def test_bit_n_of_a_bit_string_is_bit_n_of_the_number():
    in_fault = "820440"
    assert decoded(in_fault) >> 1 & 1


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_precision_comes_back_exact(value):
    again = value_of(read_tags(encode(Kind.REAL, value)))
    assert math.isclose(again, value, rel_tol=1e-7, abs_tol=1e-45)
    assert encode(Kind.REAL, again) == encode(Kind.REAL, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.UNSIGNED, 0),
        (Kind.UNSIGNED, 70_000),
        (Kind.INTEGER, -129),
        (Kind.DOUBLE, 0.1),
        (Kind.BOOLEAN, True),
        (Kind.ENUMERATED, 3),
        (Kind.TEXT, "Zähler"),
    ],
)
def test_written_value_is_read_again(kind, value):
    tags = read_tags(encode(kind, value))
    assert kind_of(tags) is kind
    assert value_of(tags) == value


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.REAL, "warm", "expected a number"),
        (Kind.REAL, True, "expected a number"),
        (Kind.REAL, 1e39, "too large for the type real"),
        (Kind.REAL, math.nan, "expected a number"),
        (Kind.UNSIGNED, 1.5, "expected a whole number"),
        (Kind.UNSIGNED, -1, "outside of 0"),
        (Kind.BOOLEAN, 2, "expected active or inactive"),
        (Kind.TEXT, 3, "cannot be made of it"),
        (Kind.DATE, "2026-11-24", "cannot be made of it"),
    ],
)
def test_value_that_does_not_fit_says_why(kind, value, text):
    with pytest.raises(ValueError, match=text):
        encode(kind, value)


def test_switch_has_many_words():
    assert [as_switch(v) for v in (True, 1, 1.0, "active", "On")] == [True] * 5
    assert [as_switch(v) for v in (False, 0, "inactive", "off")] == [False] * 4


@given(st.binary(max_size=60))
def test_any_tag_has_a_value_or_an_error(data):
    try:
        value = value_of(read_tags(data))
    except (DamagedError, NoValueError):
        return
    assert isinstance(value, bool | int | float | str)
    assert not isinstance(value, float) or math.isfinite(value)
