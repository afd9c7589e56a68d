"""One scalar out of a payload, or an error that says what was found."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.payloads.errors import PayloadError
from components.payloads.extract import (
    MAX_BYTES,
    TimeUnit,
    compile_path,
    parse_json,
    parse_time,
    plain_value,
)
from edge_runtime.model import PointKind

METER = {
    "total": 41.5,
    "phases": [{"id": "L1", "power": 7}, {"id": "L2", "power": -3}],
    "odd name": {"on": True},
    "serial": "SN-1",
    "none": None,
    "huge": 1 << 64,
    "größe": 3,
}

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.total", 41.5),
        ("$.phases[1].power", -3),
        ("$.phases[-1].power", -3),
        ("$['odd name'].on", True),
        ('$["odd name"]["on"]', True),
        ("$.phases[?@.id=='L1'].power", 7),
        ("$..serial", "SN-1"),
        ("$.größe", 3),
    ],
)
def test_path_gives_one_scalar(path, value):
    assert compile_path(path)(METER) == value


@pytest.mark.parametrize("path", ["$.no", "$.phases[2].power", "$.total.x", "$.serial[0]", "$..no"])
def test_nothing_at_a_path_is_none(path):
    assert compile_path(path)(METER) is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.none", "null at"),
        ("$.phases", "an array of 2"),
        ("$.phases[0]", "an object of 2"),
        ("$.phases[*].power", "several values"),
        ("$.huge", "an integer beyond 64 bits"),
    ],
)
def test_what_is_no_scalar_is_named(path, found):
    with pytest.raises(PayloadError, match=found):
        compile_path(path)(METER)


def test_a_whole_payload_may_be_the_value():
    assert compile_path("$")(parse_json(b"21.5")) == 21.5
    assert compile_path("$.a")(parse_json(b'"text"')) is None
    assert compile_path("$..a")(parse_json(b'"text"')) is None


@pytest.mark.parametrize(
    "path", ["", "total", "$.", "$.a[", "$.a b", "$[01]", "$.a | $.b", "$['a", "$" * 600, "$.a\n"]
)
def test_bad_path_is_refused_when_it_is_compiled(path):
    with pytest.raises(ValueError, match="path"):
        compile_path(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"NaN", b"[Infinity]", b"1e999", b'"\xff"', b'"\\ud800"', b"[" * 40 + b"]" * 40,
     b"[" * 30_000, b" " * (MAX_BYTES + 1), b"1" * 5_000, b"01"],
)  # fmt: skip
def test_bad_json_is_refused(data):
    with pytest.raises(PayloadError):
        parse_json(data)


def test_brackets_within_texts_nest_nothing():
    text = "[{" * 100 + '"\\'
    assert parse_json(json.dumps([text]).encode()) == [text]


def test_last_of_two_equal_names_counts_and_a_byte_order_mark_is_taken():
    assert parse_json(b'\xef\xbb\xbf{"a": 1, "a": 2}') == {"a": 2}


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_refused(data):
    with suppress(PayloadError):
        assert parse_json(data) is not ...


@given(JSON, st.sampled_from(["$", "$[0]", "$.a", "$[0].a", "$..a", "$[*]", "$[?@.a]"]))
def test_any_document_gives_a_scalar_none_or_an_error(document, path):
    with suppress(PayloadError):
        value = compile_path(path)(document)
        assert value is None or isinstance(value, bool | int | float | str)
        assert not (isinstance(value, float) and not math.isfinite(value))


@given(st.text(max_size=30) | st.text("$.[]'\"ab0*?@=-", max_size=20))
def test_any_text_compiles_or_is_a_value_error(path):
    with suppress(ValueError):
        extract = compile_path(path)
        assert callable(extract)


@given(st.text(st.sampled_from("ab"), min_size=1, max_size=3), JSON)
def test_own_way_and_library_agree(name, inner):
    document = {name: inner, "b": [inner]}
    for plain, general in ((f"$.{name}", f'$["{name}"]'), ("$.b[0]", '$["b"][0]')):
        assert outcome(plain, document) == outcome(general, document)


def outcome(path, document):
    try:
        return repr(compile_path(path)(document))
    except PayloadError as exc:
        return str(exc).rpartition(" at ")[0]


@pytest.mark.parametrize(
    ("data", "kind", "value"),
    [
        (b"21.5", PointKind.FLOAT, 21.5),
        (b" -3\n", PointKind.INTEGER, -3),
        (b"1e3", PointKind.FLOAT, 1000.0),
        (b"ON", PointKind.BOOLEAN, True),
        (b"false", PointKind.BOOLEAN, False),
        (b"2", PointKind.BOOLEAN, True),
        (b"a text", PointKind.TEXT, "a text"),
        (b"2", PointKind.ENUMERATION, 2),
    ],
)
def test_plain_text_is_a_value(data, kind, value):
    assert plain_value(data, kind) == value


def test_words_stand_for_values():
    words = {"Running": 1, "OPEN": True}
    assert plain_value(b"Running", PointKind.ENUMERATION, words) == 1
    assert plain_value(b"OPEN", PointKind.BOOLEAN, words) is True


@pytest.mark.parametrize(
    "data", [b"", b"nan", b"inf", b"1e999", b"\xff", b"1_000", b"0x10", b"9" * 40, b"9" * 100_000,
             "٣".encode()],
)  # fmt: skip
def test_what_is_no_number_is_refused(data):
    with pytest.raises(PayloadError):
        plain_value(data, PointKind.FLOAT)


@given(st.binary(max_size=40), st.sampled_from(PointKind))
def test_any_plain_bytes_are_a_value_or_refused(data, kind):
    with suppress(PayloadError):
        value = plain_value(data, kind)
        assert not (isinstance(value, float) and not math.isfinite(value))


@pytest.mark.parametrize(
    ("value", "unit", "time_us"),
    [
        (1_700_000_000, TimeUnit.SECONDS, 1_700_000_000_000_000),
        (1_700_000_000.25, TimeUnit.SECONDS, 1_700_000_000_250_000),
        ("1700000000123", TimeUnit.MILLISECONDS, 1_700_000_000_123_000),
        (1_700_000_000_123_456, TimeUnit.MICROSECONDS, 1_700_000_000_123_456),
        ("2023-11-14T22:13:20Z", TimeUnit.RFC3339, 1_700_000_000_000_000),
        ("2023-11-14 23:13:20.5+01:00", TimeUnit.RFC3339, 1_700_000_000_500_000),
        ("2023-11-14t22:13:20.123456789z", TimeUnit.RFC3339, 1_700_000_000_123_456),
    ],
)
def test_times_become_microseconds(value, unit, time_us):
    assert parse_time(value, unit) == time_us


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (-1, TimeUnit.SECONDS), (1e300, TimeUnit.SECONDS), (math.nan, TimeUnit.SECONDS),
        (True, TimeUnit.SECONDS), (None, TimeUnit.SECONDS), ([], TimeUnit.MILLISECONDS),
        ("soon", TimeUnit.SECONDS), ("2023-11-14T22:13:20", TimeUnit.RFC3339),
        ("2023-13-14T22:13:20Z", TimeUnit.RFC3339), (5, TimeUnit.RFC3339),
        ("2023-W46-2T22:13:20Z", TimeUnit.RFC3339), ("9999-12-31T23:59:59-23:59", TimeUnit.RFC3339),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(value, unit):
    with pytest.raises(PayloadError):
        parse_time(value, unit)


@given(SCALARS | st.text("0123456789-:TZ+. ", max_size=30), st.sampled_from(TimeUnit))
def test_any_time_is_taken_or_refused(value, unit):
    with suppress(PayloadError):
        assert parse_time(value, unit) >= 0
