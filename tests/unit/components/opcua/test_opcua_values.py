from datetime import UTC, datetime
from uuid import UUID

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from components.opcua.settings import DataType, Point
from components.opcua.status import is_good, name_of, trust_of
from components.opcua.values import FLOATS, INTEGERS, encode, plain, reading_of
from components.opcua.writing import built_in
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality, Reading

T = ua.VariantType
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_US = 1_795_521_600_000_000
POINT = Point(name="p", node="i=1")


def told(value, kind=None, *, status=0, **more) -> ua.DataValue:
    return ua.DataValue(ua.Variant(value, kind), ua.StatusCode(status), **more)


# --- status -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "quality", "reason"),
    [
        ("Good", Quality.GOOD, ""),
        ("GoodLocalOverride", Quality.GOOD, ""),
        ("UncertainSubNormal", Quality.UNCERTAIN, "device_error:UncertainSubNormal"),
        ("UncertainLastUsableValue", Quality.UNCERTAIN, "stale:UncertainLastUsableValue"),
        ("UncertainEngineeringUnitsExceeded", Quality.UNCERTAIN,
         "out_of_range:UncertainEngineeringUnitsExceeded"),
        ("BadNodeIdUnknown", Quality.BAD, "device_error:BadNodeIdUnknown"),
        ("BadNoCommunication", Quality.BAD, "no_answer:BadNoCommunication"),
        ("BadConfigurationError", Quality.BAD, "configuration:BadConfigurationError"),
        ("BadNotImplemented", Quality.BAD, "not_implemented:BadNotImplemented"),
    ],
)  # fmt: skip
def test_status_code_becomes_quality_and_reason(name, quality, reason):
    assert trust_of(getattr(ua.StatusCodes, name)) == (quality, reason)


def test_limit_and_overflow_bits_make_no_other_code():
    assert trust_of(ua.StatusCodes.BadSensorFailure | 0x0480).reason.endswith("BadSensorFailure")
    assert is_good(0x0000_0480)


def test_code_that_nobody_knows_is_shown_as_a_number():
    assert name_of(0x8FFF_0000) == "0x8FFF0000"
    assert trust_of(0xC000_0000).quality is Quality.BAD


@given(st.integers(0, 2**32 - 1))
def test_every_code_has_a_quality(code):
    assert (trust_of(code).quality is Quality.GOOD) == (trust_of(code).reason == "")


# --- from the wire ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "ours"),
    [
        (True, T.Boolean, True),
        (7, T.UInt16, 7),
        (-7, T.Int64, -7),
        (1.5, T.Double, 1.5),
        ("on", T.String, "on"),
        (b"\x01\xff", T.ByteString, "01ff"),
        (NOON, T.DateTime, "2026-11-24T12:00:00+00:00"),
        (UUID(int=1), T.Guid, "00000000-0000-0000-0000-000000000001"),
        (ua.LocalizedText("auf"), T.LocalizedText, "auf"),
        (ua.QualifiedName("Level", 2), T.QualifiedName, "Level"),
        (ua.NodeId(7, 2), T.NodeId, "ns=2;i=7"),
        (ua.StatusCode(0x8000_0000), T.StatusCode, 0x8000_0000),
    ],
)
def test_value_of_the_wire_becomes_ours(value, kind, ours):
    assert reading_of(POINT, told(value, kind)) == Reading("p", ours)


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (float("nan"), T.Double, "not_implemented"),
        (float("inf"), T.Double, "not_implemented"),
        (None, None, "not_implemented"),
        (ua.LocalizedText(None), T.LocalizedText, "not_implemented"),
        ([1, 2], T.Int32, "configuration:array"),
        (ua.Range(0, 1), T.ExtensionObject, "configuration:structure"),
    ],
)
def test_what_is_no_plain_value_is_bad_with_a_reason(value, kind, reason):
    assert reading_of(POINT, told(value, kind)) == Reading("p", None, Quality.BAD, reason)


def test_element_of_an_array_is_picked():
    third = Point(name="p", node="i=1", index=2)
    assert reading_of(third, told([1, 2, 3], T.Int32)).value == 3
    assert reading_of(third, told([1, 2], T.Int32)).reason == "configuration:index"
    assert reading_of(third, told(1, T.Int32)).reason == "configuration:index"


def test_matrix_is_no_value():
    matrix = ua.DataValue(ua.Variant([1, 2, 3, 4], T.Int32, Dimensions=[2, 2]))
    reading = reading_of(Point(name="p", node="i=1", index=1), matrix)
    assert reading.reason == "configuration:array"


def test_another_type_than_was_agreed_is_bad():
    point = Point(name="p", node="i=1", type=DataType.DOUBLE)
    assert reading_of(point, told(1.0, T.Double)).value == 1.0
    assert reading_of(point, told(1, T.Int32)).reason == "configuration:type-Int32"


def test_uncertain_value_keeps_its_number_and_bad_has_none():
    uncertain = reading_of(POINT, told(5, T.Int32, status=ua.StatusCodes.UncertainSubNormal))
    bad = reading_of(POINT, told(5, T.Int32, status=ua.StatusCodes.BadSensorFailure))
    assert (uncertain.value, uncertain.quality) == (5, Quality.UNCERTAIN)
    assert (bad.value, bad.reason) == (None, "device_error:BadSensorFailure")


def test_source_time_comes_before_the_servers_and_both_may_be_missing():
    later = NOON.replace(hour=13)
    both = told(1, T.Int32, SourceTimestamp=NOON, ServerTimestamp=later)
    assert reading_of(POINT, both).source_us == NOON_US
    assert reading_of(POINT, told(1, T.Int32, ServerTimestamp=NOON)).source_us == NOON_US
    assert reading_of(POINT, told(1, T.Int32)).source_us is None


def test_time_of_a_server_without_a_clock_is_no_time():
    beginning = NOON.replace(year=1601)
    assert reading_of(POINT, told(1, T.Int32, SourceTimestamp=beginning)).source_us is None


def test_time_without_a_zone_is_utc():
    plain_noon = NOON.replace(tzinfo=None)
    assert reading_of(POINT, told(1, T.Int32, SourceTimestamp=plain_noon)).source_us == NOON_US


def test_long_text_is_cut():
    assert len(plain("x" * 5_000)) == 1_000


@given(st.sampled_from(sorted(T, key=int)), st.binary(max_size=40))
def test_no_bytes_of_a_variant_make_anything_but_a_reading(kind, data):
    buffer = ua.utils.Buffer(bytes([kind.value]) + data)
    try:
        variant = ua.ua_binary.variant_from_binary(buffer)
    except Exception:  # noqa: BLE001 - what asyncua does with it is tested with the driver
        return
    reading = reading_of(POINT, ua.DataValue(variant))
    assert (reading.value is None) == (reading.quality is Quality.BAD)


# --- to the wire --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "sent"),
    [
        (3, T.Float, 3.0),
        (3.0, T.Int16, 3),
        (True, T.UInt32, 1),
        (1, T.Boolean, True),
        (0.0, T.Boolean, False),
        ("go", T.String, "go"),
        ("go", T.LocalizedText, ua.LocalizedText("go")),
        ("01ff", T.ByteString, b"\x01\xff"),
        ("2026-11-24T12:00:00Z", T.DateTime, NOON),
    ],
)
def test_value_is_cast_to_the_nodes_type(value, kind, sent):
    variant = encode(value, kind)
    assert (variant.Value, variant.VariantType) == (sent, kind)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (1.5, T.Int16, "no whole number"),
        ("1", T.Int16, "no whole number"),
        (40_000, T.Int16, "outside of -32768 to 32767"),
        (-1, T.UInt64, "outside of 0"),
        ("1", T.Double, "no number"),
        (1e300, T.Float, "more than Float holds"),
        (2, T.Boolean, "2 is no Boolean"),
        ("yes", T.Boolean, "is no Boolean"),
        (1, T.String, "is no String"),
        ("soon", T.DateTime, "is no DateTime"),
        ("0001-01-01T00:00:00+14:00", T.DateTime, "is no DateTime"),
        ("xy", T.ByteString, "is no ByteString"),
        (1, T.ExtensionObject, "type ExtensionObject cannot be written"),
    ],
)
def test_value_that_does_not_fit_is_told(value, kind, text):
    with pytest.raises(ValueError, match=text):
        encode(value, kind)


@given(st.sampled_from(sorted({*INTEGERS, *FLOATS}, key=int)), st.integers() | st.floats())
def test_number_is_sent_as_it_is_or_not_at_all(kind, value):
    try:
        sent = encode(value, kind)
    except ValueError:
        return
    assert sent.Value == value
    assert ua.ua_binary.variant_to_binary(sent)


@pytest.mark.parametrize(
    ("number", "kind"), [(11, T.Double), (29, T.Int32), (294, T.DateTime), (1, T.Boolean)]
)
def test_data_type_has_a_type_on_the_wire(number, kind):
    assert built_in(ua.NodeId(number)) is kind


@pytest.mark.parametrize("data_type", [ua.NodeId(3_002, 2), ua.NodeId(0), None])
def test_data_type_of_others_is_refused(data_type):
    with pytest.raises(DeviceRefusedError, match="no value yet"):
        built_in(data_type)
