"""The fast decoder gives what the reference decoder gives."""

import math

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.telemetry.columns import decode
from cloud_sync.wire.errors import MessageInvalidError
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Kind, Sample, decode_columns, decode_samples, encode_samples

YEAR_2100_US = 4_102_444_800_000_000
times = st.integers(-YEAR_2100_US, YEAR_2100_US)
values = st.one_of(
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False),
    st.decimals(-1000, 1000, places=2).map(float),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
)


@st.composite
def samples(draw):
    quality = draw(st.sampled_from(Quality))
    return Sample(
        point=draw(st.sampled_from(["pump/flow", "pump/on", "meter/energy"])),
        received_us=draw(times),
        value=None if quality is Quality.BAD else draw(values),
        quality=quality,
        reason="" if quality is Quality.GOOD else draw(st.sampled_from(["no_answer", "stale"])),
        source_us=draw(st.none() | times),
    )


def rows_of(payload):
    columns = decode(payload)
    keys = np.repeat(np.array(columns.points, object), columns.counts)
    kinds = np.repeat(np.frombuffer(columns.kinds, np.uint8), columns.counts)
    for i, key in enumerate(keys):
        quality, reason = columns.verdicts[columns.verdict[i]]
        text = None if columns.texts is None else columns.texts[i]
        value = None if quality is Quality.BAD else columns.values[i]
        yield key, columns.times[i], text if kinds[i] == Kind.TEXT else value, quality, reason


@given(st.lists(samples(), min_size=1, max_size=40))
def test_numpy_and_reference_decoder_agree(batch):
    payload = encode_samples(batch)
    expected = [
        (
            s.point,
            s.source_us if s.source_us is not None else s.received_us,
            s.value,
            s.quality,
            s.reason,
        )
        for s in decode_samples(payload)
    ]
    assert list(rows_of(payload)) == expected


def damaged(**changes):
    columns = decode_columns(
        encode_samples([Sample("pump/flow", 1, 2.5), Sample("pump/on", 1, True)])
    )
    for field, value in changes.items():
        setattr(columns, field, value)
    return zstandard.compress(msgspec.msgpack.encode(columns))


@pytest.mark.parametrize(
    "changes",
    [
        {"ticks": b"\x09" * 16},
        {"clock": b"\x7f" * 8},
        {"clock": b"\x01" * 9},
        {"points": ["pump/flow", "x" * 201]},
        {"points": ["pump/flow", ""]},
        {"verdicts": [(7, "")], "verdict": b"\0\0"},
    ],
    ids=["tick", "time", "ragged", "long key", "no key", "quality"],
)
def test_impossible_columns_are_refused(changes):
    with pytest.raises(MessageInvalidError):
        decode(damaged(**changes))


def test_bad_sample_has_no_value_and_nul_is_replaced():
    columns = decode(encode_samples([
        Sample("a/x", 5, None, Quality.BAD, "no\0answer"), Sample("a/y", 6, "on\0off"),
    ]))  # fmt: skip
    assert math.isnan(columns.values[0])
    assert columns.verdicts[0] == (Quality.BAD, "no\ufffdanswer")
    assert columns.texts[1] == "on\ufffdoff"
