"""The seal: any damage is noticed, and nothing outside the limits is opened."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.wire.batch import (
    Batch,
    ClockQuality,
    Seal,
    Stream,
    digest,
    open_batch,
    seal_batch,
)
from cloud_sync.wire.errors import MessageDamagedError, MessageInvalidError, WireError
from cloud_sync.wire.samples import Sample, encode_samples
from cloud_sync.wire.version import MAX_PAYLOAD_BYTES, PROTOCOL

SEAL = Seal(Stream.SAMPLES, "0123456789abcdef", 7, "boot", 5, ClockQuality.SYNCHRONISED)
PAYLOAD = encode_samples([Sample("pump/flow", 1_000 + i, i / 10) for i in range(20)])
MESSAGE = seal_batch(SEAL, count=20, first_us=1_000, last_us=1_019, payload=PAYLOAD)


def sealed(**fields):
    """A batch with other fields, and a hash that fits them."""
    batch = msgspec.structs.replace(open_batch(MESSAGE), **fields)
    return msgspec.msgpack.encode(msgspec.structs.replace(batch, sha256=digest(batch)))


def test_a_sealed_batch_opens():
    batch = open_batch(MESSAGE)
    assert (batch.stream, batch.epoch, batch.seq) == ("samples", "0123456789abcdef", 7)
    assert (batch.count, batch.first_us, batch.last_us) == (20, 1_000, 1_019)
    assert (batch.boot, batch.monotonic_us, batch.clock) == ("boot", 5, 1)
    assert batch.payload == PAYLOAD
    assert len(batch.sha256) == 32


@given(st.integers(0, 8 * len(MESSAGE) - 1))
def test_any_flipped_bit_is_noticed(bit):
    damaged = bytearray(MESSAGE)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        open_batch(bytes(damaged))


def test_every_flipped_bit_of_the_header_is_noticed():
    header = MESSAGE.index(PAYLOAD)
    for bit in range(8 * header):
        damaged = bytearray(MESSAGE)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            open_batch(bytes(damaged))


@given(st.integers(0, len(MESSAGE) - 1))
def test_a_cut_batch_is_damaged(length):
    with pytest.raises(MessageDamagedError):
        open_batch(MESSAGE[:length])


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(data):
    with pytest.raises(WireError):
        open_batch(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"protocol": PROTOCOL + 1},
        {"seq": 0},
        {"seq": -1},
        {"count": 0},
        {"payload": bytes(MAX_PAYLOAD_BYTES + 1)},
    ],
)
def test_a_whole_batch_outside_the_limits_is_invalid(fields):
    with pytest.raises(MessageInvalidError):
        open_batch(sealed(**fields))


def test_a_field_added_at_the_end_is_ignored():
    fields = msgspec.msgpack.decode(MESSAGE)
    assert len(fields) == len(Batch.__struct_fields__)
    longer = msgspec.msgpack.encode([*fields, "from a later version"])
    assert open_batch(longer) == open_batch(MESSAGE)
