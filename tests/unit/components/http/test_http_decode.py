"""From bytes to readings."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.http.decode import Message, decode
from components.http.discover import propose
from components.http.settings import Point, Settings
from components.payloads.errors import PayloadError
from components.payloads.extract import compile_path
from components.payloads.senml import Record, encode_cbor, encode_json
from edge_runtime.model import Quality

NOW_US = 1_700_000_000_000_000


def settings_of(*points, **fields):
    return Settings(name="a", url="http://10.0.0.7", points=points, **fields)


def decoded(settings, data, media_type="application/json"):
    return {
        r.point: r for r in decode(settings, settings.points, Message(data, media_type, NOW_US))
    }


def test_each_point_is_judged_alone():
    settings = settings_of(
        {"name": "good", "json_path": "$.a"},
        {"name": "absent", "json_path": "$.b"},
        {"name": "null", "json_path": "$.c"},
        {"name": "worded", "json_path": "$.d", "map": {"heating": 2}},
    )
    readings = decoded(settings, b'{"a": 1.5, "c": null, "d": "heating"}')
    assert {name: (r.value, r.reason) for name, r in readings.items()} == {
        "good": (1.5, ""),
        "absent": (None, "device_error:nothing_there"),
        "null": (None, "device_error:null at $.c"),
        "worded": (2, ""),
    }


def test_plain_text_is_the_value():
    settings = settings_of({"name": "a"}, {"name": "b", "kind": "boolean", "map": {"AUF": True}})
    assert decoded(settings, b"21.5\n", "text/html")["a"].value == 21.5
    assert decoded(settings, b"AUF", "")["b"].value is True


def test_devices_own_time_is_taken():
    settings = settings_of({"name": "a", "json_path": "$.a"}, time_path="$.t", time_unit="s")
    assert decoded(settings, b'{"a": 1, "t": 1700000000}')["a"].source_us == NOW_US
    reading = decoded(settings, b'{"a": 1, "t": "soon"}')["a"]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "time" in reading.reason


@pytest.mark.parametrize(
    ("encode", "media_type"),
    [
        (encode_json, "application/senml+json"),
        (encode_cbor, "application/senml+cbor"),
        (encode_json, "text/plain"),
        (encode_cbor, "application/octet-stream"),
    ],
)
def test_senml_records_become_readings(encode, media_type):
    settings = settings_of({"name": "a", "record": "urn:dev:1:temp", "unit": "Cel"})
    pack = encode([Record("urn:dev:1:temp", "Cel", 20.5, time_us=NOW_US)])
    reading = decoded(settings, pack, media_type)["a"]
    assert (reading.value, reading.source_us) == (20.5, NOW_US)


def test_senml_in_another_unit_is_bad():
    settings = settings_of({"name": "a", "record": "t", "unit": "Cel"})
    reading = decoded(settings, encode_json([Record("t", "K", 293.0)]), "application/senml+json")[
        "a"
    ]
    assert reading.reason == "configuration:unit K, not Cel"


@given(st.binary(max_size=100), st.sampled_from(["application/json", "application/senml+cbor", ""]))
def test_any_bytes_are_readings_or_refused(data, media_type):
    settings = settings_of(
        {"name": "a", "json_path": "$.a"},
        {"name": "b", "record": "b"},
        {"name": "c"},
        time_path="$.t",
    )
    with suppress(PayloadError):
        for reading in decode(settings, settings.points, Message(data, media_type, NOW_US)):
            assert (reading.value is None) == (reading.quality is Quality.BAD)
            assert not (isinstance(reading.value, float) and not math.isfinite(reading.value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_proposed_points_are_valid_and_find_their_values(document):
    proposed = propose(document)
    assert len({point["name"] for point, _ in proposed}) == len(proposed)
    for fields, value in proposed:
        point = Point(**fields)
        assert compile_path(point.json_path)(document) == value


def test_proposed_points_are_named_by_their_path():
    document = {"airTemp": 20.5, "phases": [{"power": 7}], "ok": True, "odd name": "x"}
    assert [(p["name"], p["kind"], p["json_path"]) for p, _ in propose(document)] == [
        ("air_temp", "float", "$.airTemp"),
        ("phases_0_power", "integer", "$.phases[0].power"),
        ("ok", "boolean", "$.ok"),
        ("odd_name", "text", "$['odd name']"),
    ]
