import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.mqtt.client import Message
from components.mqtt.decode import Decoder, time_of
from components.mqtt.settings import Settings
from components.payloads.errors import PayloadError
from components.payloads.extract import TimeUnit
from edge_runtime.model import Quality

NOW_US = 1_790_000_000_000_000


def decode(payload, *points, retained=False, **settings):
    points = [{"topic": "t"} | point for point in points]
    made = Settings(name="d", host="b", points=points, **settings)
    decoder = Decoder(made, made.points, set())
    data = payload.encode() if isinstance(payload, str) else payload
    return decoder.decode(Message("t", data, retained), NOW_US)


def one(payload, point=None, **more):
    [reading] = decode(payload, {"name": "p"} | (point or {}), **more)
    return reading


@pytest.mark.parametrize(
    ("payload", "point", "value"),
    [
        ("21.5", {}, 21.5),
        (" -7\n", {}, -7),
        ("ON", {"kind": "boolean"}, True),
        ("false", {"kind": "boolean"}, False),
        ("auto", {"kind": "text"}, "auto"),
        ("AUTO", {"map": {"AUTO": 1}, "kind": "integer"}, 1),
        ("1e3", {}, 1000.0),
    ],
)
def test_plain_message_is_a_value(payload, point, value):
    reading = one(payload, point)
    assert (reading.value, reading.quality) == (value, Quality.GOOD)


@pytest.mark.parametrize("payload", ["", "warm", "nan", "1e999", "0x10", "12 bar"])
def test_plain_message_that_is_no_number_is_bad_with_a_reason(payload):
    reading = one(payload)
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert reading.reason.startswith("device_error:")


def test_document_serves_several_points():
    document = '{"t": [{"v": 3}], "on": "ON", "name": "x"}'
    readings = decode(
        document,
        {"name": "a", "json_path": "$.t[0].v"},
        {"name": "b", "json_path": "$.on", "kind": "boolean"},
        {"name": "c", "json_path": "$.name", "kind": "text"},
    )
    assert [r.value for r in readings] == [3, True, "x"]


def test_words_of_a_document_are_mapped():
    assert one('{"s": "RUN"}', {"json_path": "$.s", "map": {"RUN": 2}}).value == 2


def test_document_without_a_path_is_the_value_itself():
    assert one("3.5", {"format": "json"}).value == 3.5


def test_cbor_document():
    data = cbor2.dumps({"t": 3.5})
    assert one(data, {"format": "cbor", "json_path": "$.t"}).value == 3.5


@pytest.mark.parametrize("payload", [b"{]", b"\xff\xfe", b"[" * 100, b'{"t": NaN}'])
def test_document_that_is_none_is_bad_for_all_its_points(payload):
    readings = decode(payload, {"name": "a", "json_path": "$.t"}, {"name": "b", "json_path": "$.u"})
    assert {r.quality for r in readings} == {Quality.BAD}
    assert all(r.reason.startswith("device_error:") for r in readings)


def test_value_never_in_a_document_is_a_wrong_path():
    assert one('{"t": 3}', {"json_path": "$.temp"}).reason == "configuration:not in the message"


def test_partial_document_is_no_news_of_what_it_leaves_out():
    points = [
        {"name": "a", "topic": "t", "json_path": "$.a"},
        {"name": "b", "topic": "t", "json_path": "$.b"},
    ]
    made = Settings(name="d", host="b", points=points)
    decoder = Decoder(made, made.points, set())
    decoder.decode(Message("t", b'{"a": 1, "b": 2}', retained=False), NOW_US)
    [reading] = decoder.decode(Message("t", b'{"a": 3}', retained=False), NOW_US)
    assert (reading.point, reading.value) == ("a", 3)


def test_null_and_objects_are_bad():
    readings = decode(
        '{"a": null, "b": {}}', {"name": "a", "json_path": "$.a"}, {"name": "b", "json_path": "$.b"}
    )
    assert [r.reason for r in readings] == [
        "device_error:null at $.a",
        "device_error:an object of 0 at $.b",
    ]


def test_longer_message_than_allowed_is_not_looked_into():
    reading = one(b" " * 300 + b"1", max_payload_bytes=256)
    assert reading.reason == "device_error:301 bytes are more than the 256 allowed"


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "time_us"),
    [
        (1_790_000_000, None, 1_790_000_000_000_000),
        (1_790_000_000.25, None, 1_790_000_000_250_000),
        (1_790_000_000_123, None, 1_790_000_000_123_000),
        (1_790_000_000_123_456, None, 1_790_000_000_123_456),
        ("1790000000", None, 1_790_000_000_000_000),
        ("2026-02-03T04:05:06.5Z", None, 1_770_091_506_500_000),
        ("2026-02-03T05:05:06+01:00", None, 1_770_091_506_000_000),
        (1_000, TimeUnit.MILLISECONDS, 1_000_000),
    ],
)
def test_time_is_told_by_its_looks_or_its_unit(value, unit, time_us):
    assert time_of(value, unit) == time_us


@pytest.mark.parametrize("value", ["yesterday", "", -5, True, 1e30])
def test_time_that_is_none_is_an_error(value):
    with pytest.raises(PayloadError):
        time_of(value, None)


def test_reading_carries_the_devices_time():
    reading = one('{"v": 1, "at": 1789999999}', {"json_path": "$.v"}, time_path="$.at")
    assert reading.source_us == 1_789_999_999_000_000


def test_wrong_time_spoils_its_reading():
    reading = one('{"v": 1, "at": "soon"}', {"json_path": "$.v"}, time_path="$.at")
    assert reading.quality is Quality.BAD


# --- what the broker had kept ----------------------------------------------------------------------


def test_retained_value_is_doubted():
    reading = one("21.5", retained=True)
    assert (reading.value, reading.quality, reading.reason) == (
        21.5,
        Quality.UNCERTAIN,
        "stale:retained",
    )


def test_retained_value_of_a_point_that_is_published_on_change_is_the_present_one():
    assert one("21.5", {"on_change": True}, retained=True).quality is Quality.GOOD


@pytest.mark.parametrize(("age_s", "quality"), [(5, Quality.GOOD), (3_600, Quality.UNCERTAIN)])
def test_retained_value_with_a_time_is_as_old_as_it_says(age_s, quality):
    document = json.dumps({"v": 1, "at": NOW_US // 1_000_000 - age_s})
    reading = one(document, {"json_path": "$.v"}, time_path="$.at", retained=True, interval_s=10)
    assert reading.quality is quality


# --- SenML ----------------------------------------------------------------------------------------

PACK = '[{"bn":"urn:x:","bt":1789999999,"n":"t","u":"Cel","v":3.5},{"n":"door","vb":true}]'


def test_senml_record_by_its_full_name():
    reading = one(PACK, {"format": "senml", "record": "urn:x:t", "unit": "Cel"})
    assert (reading.value, reading.source_us) == (3.5, 1_789_999_999_000_000)


def test_senml_unit_that_differs_is_bad():
    reading = one(PACK, {"format": "senml", "record": "urn:x:t", "unit": "bar"})
    assert reading.reason.startswith("configuration:unit Cel")


def test_senml_pack_of_several_records_needs_a_name():
    assert "name one by 'record'" in one(PACK, {"format": "senml"}).reason


def test_senml_pack_of_one_record_needs_none():
    assert one('[{"n":"t","v":7}]', {"format": "senml"}).value == 7


# --- whatever comes ---------------------------------------------------------------------------------

POINTS = [
    {"name": "plain"},
    {"name": "truth", "kind": "boolean"},
    {"name": "text", "kind": "text"},
    {"name": "path", "json_path": "$.a[0].b", "time_path": "$.t"},
    {"name": "query", "json_path": "$..b"},
    {"name": "senml", "format": "senml"},
    {"name": "binary", "format": "senml-cbor"},
    {"name": "cbor", "format": "cbor", "json_path": "$.a"},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "t", "n", "v", "bt"]), inner, max_size=4)
    ),
    max_leaves=12,
)
PAYLOAD = (
    st.binary(max_size=60) | JSON.map(lambda x: json.dumps(x).encode()) | JSON.map(cbor2.dumps)
)


@given(PAYLOAD, st.booleans())
def test_no_payload_raises_and_no_value_is_unfit(payload, retained):
    for reading in decode(payload, *POINTS, retained=retained):
        assert (reading.value is None) == (reading.quality is Quality.BAD)
        assert isinstance(reading.value, int | float | str | bool | None)
        assert not isinstance(reading.value, float) or reading.value - reading.value == 0
        assert len(reading.reason) < 120
