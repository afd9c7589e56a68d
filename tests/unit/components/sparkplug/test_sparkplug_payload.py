import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.payloads.errors import PayloadError
from components.sparkplug.metric import DataType, put_value, sample_of, value_of
from components.sparkplug.node import EdgeNode
from components.sparkplug.payload import Payload, parse_payload, text_of
from components.sparkplug.topic import Kind, SparkplugTopic, node_filter, parse_topic
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality

# Written down by hand from the specification's field numbers, as another implementation sends it:
# timestamp 1486144502122, seq 1, metric "My Metric" of type String with "Test" at 1486144502122.
FOREIGN = bytes.fromhex(
    "08eaf2f5a8a02b121a0a094d79204d657472696318eaf2f5a8a02b200c7a045465737418 01".replace(" ", "")
)


def metric_of(datatype, **fields):
    payload = Payload()
    return payload.metrics.add(datatype=int(datatype), **fields)


def test_payload_of_another_implementation_is_read():
    payload = parse_payload(FOREIGN)
    assert (payload.timestamp, payload.seq) == (1_486_144_502_122, 1)
    [metric] = payload.metrics
    sample = sample_of(metric, 0, None)
    assert (metric.name, sample.value, sample.source_us) == (
        b"My Metric",
        "Test",
        1_486_144_502_122_000,
    )


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff", b"{}", b"\x12\x02\x0a"])
def test_bytes_that_are_none_are_an_error(data):
    with pytest.raises(PayloadError):
        parse_payload(data)


def test_too_long_payload_is_not_looked_into():
    with pytest.raises(PayloadError, match="41 bytes are more than the 40"):
        parse_payload(bytes(41), max_bytes=40)


def test_too_many_metrics_are_an_error():
    with pytest.raises(PayloadError, match="20001 metrics"):
        parse_payload(b"\x12\x00" * 20_001)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a" * 513, b"a" * 4_000])
def test_text_that_is_none_is_an_error(data):
    with pytest.raises(PayloadError):
        text_of(data)


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("datatype", "raw", "value"),
    [
        (DataType.INT8, 0xFF, -1),
        (DataType.INT8, 0xFFFF_FFFF, -1),
        (DataType.INT8, 0x7F, 127),
        (DataType.INT16, 0xFFFF_8000, -32_768),
        (DataType.INT16, 0x8000, -32_768),
        (DataType.INT32, 0xFFFF_FFFE, -2),
        (DataType.UINT8, 255, 255),
        (DataType.UINT16, 65_535, 65_535),
        (DataType.UINT32, 0xFFFF_FFFF, 4_294_967_295),
    ],
)
def test_sign_of_integers(datatype, raw, value):
    assert value_of(metric_of(datatype, int_value=raw), datatype) == value


@pytest.mark.parametrize(
    ("datatype", "raw", "value"),
    [
        (DataType.INT64, (1 << 64) - 5, -5),
        (DataType.UINT64, (1 << 64) - 5, (1 << 64) - 5),
        (DataType.INT32, (1 << 64) - 5, -5),
        (DataType.DATETIME, 1_486_144_502_122, 1_486_144_502_122),
    ],
)
def test_sign_of_long_integers(datatype, raw, value):
    assert value_of(metric_of(datatype, long_value=raw), datatype) == value


def test_short_type_that_holds_too_much_is_bad():
    sample = sample_of(metric_of(DataType.UINT8, int_value=256), 0, None)
    assert (sample.value, sample.reason) == (None, "device_error:256 is no uint8")


@pytest.mark.parametrize(
    ("fields", "declared", "reason"),
    [
        ({"datatype": 16, "dataset_value": {}}, 0, "device_error:a dataset has no single value"),
        ({"datatype": 19, "template_value": {}}, 0, "device_error:a template has no single value"),
        ({"datatype": 17, "bytes_value": b"1"}, 0, "device_error:a bytes has no single value"),
        ({"datatype": 22, "bytes_value": b"1"}, 0, "device_error:data type 22 has no single value"),
        ({"string_value": b"x"}, 3, "device_error:int32 with string_value"),
        ({}, 3, "device_error:int32 with no value"),
        ({"string_value": b"\xff"}, 12, "device_error:a text that is no UTF-8"),
        ({"double_value": float("nan")}, 10, "not_implemented"),
        ({"is_null": True}, 10, "not_implemented"),
    ],
)
def test_metric_without_a_single_value_is_bad_with_a_reason(fields, declared, reason):
    sample = sample_of(Payload().metrics.add(**fields), declared, None)
    assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, reason)


@pytest.mark.parametrize(
    ("code", "quality", "reason"),
    [
        (192, Quality.GOOD, ""),
        (0, Quality.BAD, "device_error:quality 0"),
        (500, Quality.BAD, "stale"),
        (64, Quality.UNCERTAIN, "device_error:quality 64"),
    ],
)
def test_quality_property(code, quality, reason):
    metric = metric_of(DataType.INT32, int_value=7)
    metric.properties.keys.append(b"Quality")
    metric.properties.values.add(type=3, int_value=code)
    sample = sample_of(metric, 3, None)
    assert (sample.quality, sample.reason) == (quality, reason)
    assert (sample.value is None) == (quality is Quality.BAD)


@pytest.mark.parametrize("ms", [0, 253_402_300_800_000, (1 << 64) - 1])
def test_time_that_is_none_is_left_out(ms):
    assert (
        sample_of(metric_of(DataType.INT32, int_value=1, timestamp=ms), 3, None).source_us is None
    )


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (DataType.INT8, -128), (DataType.UINT16, 65_535), (DataType.INT32, -1),
        (DataType.INT64, -(1 << 63)), (DataType.UINT64, (1 << 64) - 1), (DataType.FLOAT, 0.5),
        (DataType.DOUBLE, 1e300), (DataType.BOOLEAN, True), (DataType.STRING, "ä"),
    ],
)  # fmt: skip
def test_value_is_commanded_as_it_is_reported(datatype, value):
    metric = Payload().metrics.add()
    put_value(metric, int(datatype), value)
    assert value_of(metric, int(datatype)) == value


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (DataType.UINT8, 256), (DataType.UINT8, -1), (DataType.INT32, 1.5), (DataType.INT32, "1"),
        (DataType.STRING, 1), (DataType.BOOLEAN, "true"), (DataType.DOUBLE, float("inf")),
        (DataType.TEMPLATE, 1), (99, 1),
    ],
)  # fmt: skip
def test_value_that_does_not_fit_is_refused(datatype, value):
    with pytest.raises(DeviceRefusedError):
        put_value(Payload().metrics.add(), int(datatype), value)


# --- topics ---------------------------------------------------------------------------------------


def test_topics_are_taken_apart_and_written():
    for text in ("spBv1.0/g/NDATA/n", "spBv1.0/g/DDATA/n/d"):
        assert str(parse_topic(text)) == text
    assert parse_topic("spBv1.0/g/DCMD/n/d") == SparkplugTopic("g", Kind.DCMD, "n", "d")
    assert node_filter("g", "n") == "spBv1.0/g/+/n/#"


@pytest.mark.parametrize(
    "text",
    ["spBv1.0/STATE/host", "spBv1.0/g/NDATA/n/d", "spBv1.0/g/DDATA/n", "spAv1.0/g/NDATA/n",
     "spBv1.0/g/XDATA/n", "spBv1.0//NDATA/n", "spBv1.0/g/DDATA/n/d/e", ""],
)  # fmt: skip
def test_other_topics_are_none(text):
    assert parse_topic(text) is None


# --- whatever comes ---------------------------------------------------------------------------------

SCALARS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([b"a", b"bdSeq", b"\xff", b""]),
        "alias": st.integers(0, 3),
        "timestamp": st.integers(0, (1 << 64) - 1),
        "datatype": st.integers(0, 40),
        "is_null": st.booleans(),
        "is_historical": st.booleans(),
        "int_value": st.integers(0, (1 << 32) - 1),
        "double_value": st.floats(),
        "string_value": st.binary(max_size=6),
    },
)
MESSAGE = st.tuples(
    st.sampled_from([k for k in Kind if not k.name.endswith("CMD")]),
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda metrics, seq: Payload(metrics=metrics, seq=seq).SerializeToString(),
            st.lists(SCALARS, max_size=4),
            st.integers(0, 3),
        ),
    ),
)


@given(st.lists(MESSAGE, max_size=12))
def test_no_message_raises_and_no_value_is_unfit(messages):
    node = EdgeNode()
    for kind, data in messages:
        outcome = node.take(kind, "d" if kind.is_of_device else "", data, max_bytes=1 << 20)
        for said in outcome.samples.values():
            for _, sample in said:
                assert (sample.value is None) == (sample.quality is Quality.BAD)
                assert not isinstance(sample.value, float) or sample.value - sample.value == 0
