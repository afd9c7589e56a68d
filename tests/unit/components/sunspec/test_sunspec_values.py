import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sunspec.definitions import Field, definition, known_models
from components.sunspec.values import CODES, UCUM, decode, encode, kind_of, scaled, unit_of
from edge_runtime.model import PointKind

SIZES = {"h": 1, "H": 1, "i": 2, "I": 2, "f": 2, "q": 4, "Q": 4, "d": 4}


def field_of(kind, size=None, scale=None, units="", symbols=None):
    size = size or SIZES[CODES[kind]]
    return Field("F", kind, 0, size, scale, units, True, False, symbols or {}, "")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("int16", "8000"),
        ("uint16", "ffff"),
        ("acc16", "0000"),
        ("enum16", "ffff"),
        ("bitfield16", "ffff"),
        ("sunssf", "8000"),
        ("int32", "80000000"),
        ("uint32", "ffffffff"),
        ("acc32", "00000000"),
        ("enum32", "ffffffff"),
        ("bitfield32", "ffffffff"),
        ("int64", "8000000000000000"),
        ("uint64", "ffffffffffffffff"),
        ("acc64", "0000000000000000"),
        ("float32", "7fc00000"),
        ("float32", "7f800000"),
        ("float64", "7ff8000000000000"),
        ("string", "00000000"),
        ("ipaddr", "00000000"),
        ("ipv6addr", "00" * 16),
        ("eui48", "0000ffffffffffff"),
    ],
)
def test_not_implemented_is_no_value(kind, data):
    raw = bytes.fromhex(data)
    assert decode(field_of(kind, len(raw) // 2), raw) is None


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("int16", "fff6", -10),
        ("uint16", "8000", 32_768),
        ("uint16", "0000", 0),
        ("acc32", "00000001", 1),
        ("bitfield32", "80000001", 0x80000001),
        ("int64", "ffffffffffffffff", -1),
        ("float32", "3fc00000", 1.5),
        ("string", "41420000", "AB"),
        ("string", "20412000", "A"),
        ("string", "ff410000", "\ufffdA"),
        ("ipaddr", "c0000207", "192.0.2.7"),
        ("ipv6addr", "20010db8" + "00" * 11 + "01", "2001:db8::1"),
        ("eui48", "00000024befffe80", "00:24:BE:FF:FE:80"),
    ],
)
def test_values_are_read(kind, data, value):
    raw = bytes.fromhex(data)
    assert decode(field_of(kind, len(raw) // 2), raw) == value


@pytest.mark.parametrize(
    ("value", "exponent", "result"),
    [(2_301, -1, 230.1), (15, 2, 1_500), (7, 0, 7), (123, -10, 1.23e-8), ("AB", -1, "AB")],
)
def test_scale_factor_gives_the_nearest_number(value, exponent, result):
    assert scaled(value, exponent) == result


@given(st.sampled_from(sorted(CODES)), st.binary(min_size=8, max_size=8))
def test_any_registers_give_a_finite_value_or_none(kind, data):
    field = field_of(kind)
    value = decode(field, data[: 2 * field.size])
    assert value is None or math.isfinite(value)


@given(st.integers(-32_767, 32_767), st.integers(-10, 10))
def test_what_was_read_can_be_written(raw, exponent):
    field = field_of("int16", scale="F_SF")
    data = encode(field, scaled(raw, exponent), exponent)
    assert data == struct.pack(">h", raw)


@pytest.mark.parametrize(
    ("kind", "value", "exponent", "complaint"),
    [
        ("uint16", 1.25, -1, "between two steps of 0.1"),
        ("uint16", -1, 0, "does not fit a uint16"),
        ("uint16", 70_000, 0, "does not fit a uint16"),
        ("int16", 40_000, 0, "does not fit"),
        ("uint16", 65_535, 0, "not implemented"),
        ("enum16", "ON", 0, "is no number"),
        ("string", "ABCDE", 0, "does not fit a string of 4 bytes"),
        ("ipaddr", "192.0.2.1", 0, "does not fit a ipaddr"),
    ],
)
def test_value_that_does_not_fit_is_not_encoded(kind, value, exponent, complaint):
    with pytest.raises(ValueError, match=complaint):
        encode(field_of(kind, 2 if kind in {"string", "ipaddr"} else None), value, exponent)


def test_text_is_filled_up():
    assert encode(field_of("string", 2), "AB", 0) == b"AB\0\0"


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (field_of("uint16", scale="A_SF"), PointKind.FLOAT),
        (field_of("uint16", scale=-1), PointKind.FLOAT),
        (field_of("uint16", scale=1), PointKind.INTEGER),
        (field_of("float32"), PointKind.FLOAT),
        (field_of("enum16", symbols={1: "OFF"}), PointKind.ENUMERATION),
        (field_of("enum16"), PointKind.INTEGER),
        (field_of("bitfield32"), PointKind.INTEGER),
        (field_of("string", 4), PointKind.TEXT),
    ],
)
def test_kind_follows_from_the_type(field, kind):
    assert kind_of(field) is kind


def test_units_are_ucum_or_none():
    assert unit_of(field_of("uint16", units="% WMax")) == "%"
    assert unit_of(field_of("uint16", units="Wh")) == "W.h"
    assert unit_of(field_of("uint16", units="hhmmss")) == ""


def test_every_unit_that_is_translated_stands_in_a_model():
    known = {field.units for model in known_models() for _, field in definition(model).paths()}
    assert set(UCUM) <= known
