import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.coap.settings import Format, Settings
from components.coap.values import Decoder, Payload, absent, encode
from components.payloads.senml import decode_cbor, decode_json
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality

NOW_US = 1_800_000_000_000_000
PACK = [{"bn": "a:", "n": "t", "u": "Cel", "v": 21.5, "bt": 1.7e9}, {"n": "on", "vb": True}]


def settings_of(*points, **more):
    named = [{"name": f"p{place}", "path": "/x"} | point for place, point in enumerate(points)]
    return Settings(name="d", host="h", points=named, **more)


def decode(data, content_format, *points, **more):
    settings = settings_of(*points, **more)
    found = Decoder(settings, settings.points).decode(Payload(data, content_format), NOW_US)
    return [r.value if r.quality is Quality.GOOD else r.reason for r in found.readings]


@pytest.mark.parametrize(
    ("data", "content_format", "point", "value"),
    [
        (b"21.5", None, {}, 21.5),
        (b"21.5", 0, {}, 21.5),
        (b"ON", 0, {"kind": "boolean"}, True),
        (b"dry", 0, {"kind": "integer", "map": {"dry": 0}}, 0),
        (b"dry", 0, {"kind": "text"}, "dry"),
        (b'{"a": [1, 2]}', 50, {"json_path": "$.a[1]"}, 2),
        (b"7", 50, {}, 7),
        (b'{"a": "ON"}', 50, {"json_path": "$.a", "map": {"ON": True}}, True),
        (cbor2.dumps({"a": 1.5}), 60, {"json_path": "$.a"}, 1.5),
        (json.dumps(PACK[:1]).encode(), 110, {}, 21.5),
        (json.dumps(PACK).encode(), 110, {"record": "a:on"}, True),
        (cbor2.dumps([{0: "x", 2: 4}]), 112, {}, 4),
        (b"8", 50, {"format": "plain"}, 8),
        (b"[8]", None, {"format": "json", "json_path": "$[0]"}, 8),
        (b'[{"n":"x","s":5}]', 110, {"sum": True}, 5),
    ],
)
def test_value_is_found_in_what_a_message_holds(data, content_format, point, value):
    assert decode(data, content_format, point) == [value]


@pytest.mark.parametrize(
    ("data", "content_format", "point", "reason"),
    [
        (b"warm", 0, {}, "device_error:unreadable"),
        (b"\xff", 0, {"kind": "text"}, "device_error:unreadable"),
        (b"{", 50, {"json_path": "$.a"}, "device_error:unreadable"),
        (b"{}", 50, {"json_path": "$.a"}, "configuration:nothing at $.a"),
        (b'{"a": null}', 50, {"json_path": "$.a"}, "device_error:unreadable"),
        (b'{"a": {}}', 50, {"json_path": "$.a"}, "device_error:unreadable"),
        (b"{}", 50, {}, "device_error:unreadable"),
        (b"null", 50, {}, "device_error:unreadable"),
        (b"\xf9\x7e\x00", 60, {}, "device_error:unreadable"),
        (json.dumps(PACK).encode(), 110, {}, "configuration:a pack of 2 needs 'record'"),
        (json.dumps(PACK[:1]).encode(), 110, {"unit": "K"}, "configuration:unit Cel, not K"),
        (b"1", 41, {}, "configuration:content format 41"),
    ],
)
def test_what_cannot_be_used_is_a_bad_reading_with_a_reason(data, content_format, point, reason):
    assert decode(data, content_format, point) == [reason]


def test_one_wrong_point_leaves_the_others_of_a_document_good():
    points = [{"json_path": "$.a"}, {"json_path": "$.b"}, {"json_path": "$.c"}]
    assert decode(b'{"a": 1, "c": [2]}', 50, *points) == [
        1, "configuration:nothing at $.b", "device_error:unreadable",
    ]  # fmt: skip


def test_missing_record_is_named():
    settings = settings_of({"record": "x"}, base_name="a:")
    decoded = Decoder(settings, settings.points).decode(
        Payload(json.dumps(PACK).encode(), 110), NOW_US
    )
    assert (decoded.readings, list(decoded.unknown)) == ([], ["a:t", "a:on"])
    [reading] = absent(settings.points, settings, decoded.readings)
    assert reading.reason == "configuration:no record a:x"


@pytest.mark.parametrize(
    ("point", "value", "data", "content_format"),
    [
        ({}, 21.5, b"21.5", 0),
        ({}, 3, b"3", 0),
        ({"kind": "boolean"}, True, b"true", 0),
        ({"kind": "boolean", "map": {"ON": True, "OFF": False}}, False, b"OFF", 0),
        ({"map": {"one": 1, "yes": True}}, True, b"yes", 0),
        ({"format": "json"}, "x", b'"x"', 50),
        ({"format": "cbor"}, 1, b"\x01", 60),
    ],
)
def test_value_is_written_in_the_points_format(point, value, data, content_format):
    settings = settings_of(point)
    assert encode(settings, settings.points[0], value) == Payload(data, content_format)


@pytest.mark.parametrize(
    ("format_", "decode_pack"), [(Format.SENML, decode_json), (Format.SENML_CBOR, decode_cbor)]
)
def test_pack_is_written_with_the_points_record(format_, decode_pack):
    settings = settings_of({"format": format_, "record": "x"}, base_name="a:")
    [record] = decode_pack(encode(settings, settings.points[0], 2.5).data, now_us=NOW_US)
    assert (record.name, record.value) == ("a:x", 2.5)


@pytest.mark.parametrize(
    ("point", "value", "message"),
    [({"json_path": "$.a"}, 1, "a part of a document"), ({}, "x" * 1_025, "do not fit in one")],
)
def test_value_that_cannot_be_sent_is_refused(point, value, message):
    settings = settings_of(point)
    with pytest.raises(DeviceRefusedError) as caught:
        encode(settings, settings.points[0], value)
    assert message in str(caught.value)


EVERY = settings_of(
    *({"format": format_, "json_path": "$.a"} for format_ in ("json", "cbor")),
    *({"format": format_} for format_ in Format),
)


@given(st.binary(max_size=80), st.none() | st.integers(0, 65_535))
def test_no_payload_raises(data, content_format):
    decoded = Decoder(EVERY, EVERY.points).decode(Payload(data, content_format), NOW_US)
    for reading in decoded.readings:
        assert (reading.value is None) == (reading.quality is Quality.BAD)
