"""Samples as columns: what comes out is what went in, whatever it is."""

import math

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.wire import planes
from cloud_sync.wire.errors import MessageDamagedError, MessageInvalidError
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import (
    EXACT_INTEGER,
    MAX_VERDICTS,
    Kind,
    Sample,
    decode_columns,
    decode_samples,
    encode_samples,
)
from cloud_sync.wire.version import MAX_BATCH_SAMPLES, MAX_UNPACKED_BYTES

TIMES = st.integers(0, 1 << 51)
REASONS = st.sampled_from(["", "stale", "device_error:0x02"])
QUALITIES = st.sampled_from([Quality.GOOD, Quality.UNCERTAIN])
VALUES = {
    "decimal": st.integers(-10_000_000, 10_000_000).map(lambda n: n / 100),
    "float": st.floats(allow_nan=False),
    "integer": st.integers(-EXACT_INTEGER, EXACT_INTEGER),
    "boolean": st.booleans(),
    "text": st.text(max_size=20),
}


@st.composite
def batches(draw):
    """Points of every kind, with trust and times of every kind, in any order."""
    samples = []
    for kind in draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4)):
        name = f"device/{kind}{len(samples)}"
        for _ in range(draw(st.integers(1, 8))):
            source = draw(st.none() | TIMES)
            time = draw(TIMES)
            source = None if source == time else source
            if draw(st.booleans()):
                value, trust = draw(VALUES[kind]), (draw(QUALITIES), draw(REASONS))
            else:
                value, trust = None, (Quality.BAD, draw(REASONS))
            samples.append(Sample(name, time, value, *trust, source))
    return draw(st.permutations(samples))


def by_point(samples):
    """Samples as a batch keeps them: sorted by point, each point's in their order."""
    places = {point: place for place, point in enumerate(dict.fromkeys(s.point for s in samples))}
    return sorted(samples, key=lambda sample: places[sample.point])


@given(batches())
def test_any_mix_of_samples_survives(samples):
    assert decode_samples(encode_samples(samples)) == by_point(samples)


@given(batches())
def test_values_keep_their_types(samples):
    decoded = decode_samples(encode_samples(samples))
    for before, after in zip(by_point(samples), decoded, strict=True):
        assert type(after.value) is type(before.value)


def one(value, **more):
    return decode_samples(encode_samples([Sample("a/b", 1, value, **more)]))[0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([21.37, 21.4, -3.0], Kind.DECIMAL),
        ([1 / 3], Kind.FLOAT),
        ([math.inf], Kind.FLOAT),
        ([1e300], Kind.FLOAT),
        ([1.5, 0.0], Kind.DECIMAL),
        ([1.5, -0.0], Kind.FLOAT),
        ([5, -7], Kind.INTEGER),
        ([EXACT_INTEGER + 1], Kind.FLOAT),
        ([True, None], Kind.BOOLEAN),
        ([1, 2.5], Kind.DECIMAL),
        (["off", 3], Kind.TEXT),
        ([None], Kind.BOOLEAN),
    ],
)
def test_the_smallest_kind_that_loses_nothing_is_chosen(values, kind):
    samples = [Sample("a/b", i, value) for i, value in enumerate(values)]
    assert decode_columns(encode_samples(samples)).kinds == bytes([kind])


def test_nan_stays_nan():
    assert math.isnan(one(math.nan).value)


def test_a_value_of_bad_quality_does_not_travel():
    assert one(5.0, quality=Quality.BAD, reason="stale").value is None


def test_a_sample_without_value_is_bad_whatever_it_says():
    assert one(None, reason="lost").quality is Quality.BAD
    assert one(None, reason="lost").reason == "lost"


def test_more_reasons_than_a_byte_can_name_keep_their_quality():
    samples = [
        Sample("a/b", i, float(i), Quality(i % 2), f"reason {i}") for i in range(2 * MAX_VERDICTS)
    ]
    decoded = decode_samples(encode_samples(samples))
    assert [s.quality for s in decoded] == [s.quality for s in samples]
    assert decoded[100].reason == "reason 100"
    assert decoded[-1].reason == ""


@pytest.mark.parametrize("count", [0, MAX_BATCH_SAMPLES + 1])
def test_batches_outside_the_limits_are_refused(count):
    with pytest.raises(MessageInvalidError, match=str(count)):
        encode_samples([Sample("a/b", i, 1) for i in range(count)])


def test_the_largest_batch_survives():
    samples = [Sample(f"a/p{i % 50}", i, i) for i in range(MAX_BATCH_SAMPLES)]
    assert len(decode_samples(encode_samples(samples))) == MAX_BATCH_SAMPLES


def changed(*later, **fields):
    """A payload of three samples with some columns replaced, and more of them at the end."""
    samples = [Sample("a/b", 1, 1.5), Sample("a/b", 2, 2.5), Sample("a/c", 2, "x")]
    columns = msgspec.structs.asdict(decode_columns(encode_samples(samples)))
    assert fields.keys() <= columns.keys()
    values = [*{**columns, **fields}.values(), *later]
    return zstandard.compress(msgspec.msgpack.encode(values))


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"points": ["a/b"]}, "points"),
        ({"counts": [2, 0]}, "counts"),
        ({"counts": [2, -1]}, "counts"),
        ({"counts": [2, MAX_BATCH_SAMPLES]}, "counts"),
        ({"kinds": bytes([1, 9])}, "kinds"),
        ({"exponents": bytes([7, 0])}, "exponents"),
        ({"ticks": bytes(16)}, "ticks"),
        ({"integers": bytes(8)}, "integers"),
        ({"floats": bytes(8)}, "floats"),
        ({"texts": []}, "texts"),
        ({"verdict": bytes(2)}, "verdict"),
        ({"verdict": bytes([1, 1, 1]), "verdicts": [(0, "")]}, "verdict"),
        ({"source": bytes(8)}, "source"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(fields, column):
    with pytest.raises(MessageInvalidError, match=column):
        decode_samples(changed(**fields))


def test_ticks_outside_the_clock_are_refused():
    with pytest.raises(MessageInvalidError, match="tick"):
        decode_samples(changed(ticks=planes.pack_deltas([0, 1, 2])))


def test_an_unknown_quality_is_refused():
    with pytest.raises((MessageInvalidError, ValueError), match="9"):
        decode_samples(changed(verdict=bytes(3), verdicts=[(9, "")]))


def test_columns_added_at_the_end_are_ignored():
    assert len(decode_samples(changed("a column of a later version"))) == 3


@pytest.mark.parametrize("payload", [b"", b"nonsense", zstandard.compress(b"\xc1")])
def test_what_is_no_payload_is_damaged(payload):
    with pytest.raises(MessageDamagedError):
        decode_samples(payload)


def test_a_payload_that_unpacks_to_too_much_is_refused_unread():
    with pytest.raises(MessageInvalidError, match=str(MAX_UNPACKED_BYTES)):
        decode_samples(zstandard.compress(bytes(MAX_UNPACKED_BYTES + 1)))


@given(st.lists(st.integers(-(1 << 62), (1 << 62) - 1), max_size=50))
def test_integers_survive_planes(values):
    assert planes.unpack_deltas(planes.pack_deltas(values)) == values


@given(st.lists(st.floats(allow_nan=False), max_size=50))
def test_floats_survive_planes(values):
    assert list(planes.unpack_floats(planes.pack_floats(values))) == values


def test_planes_that_are_not_whole_are_refused():
    with pytest.raises(MessageInvalidError, match="9 bytes"):
        planes.join(bytes(9))
