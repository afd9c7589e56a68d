"""The batch: what lies in the outbox is what travels, sealed once and never cut again.

A stream is ``(gateway, stream, epoch)``. In it batches are numbered from 1 without a hole. The
epoch is a random tag that is new whenever the outbox is, so that a re-flashed or copied card can
never use a number twice.
"""

import hashlib
from enum import IntEnum, StrEnum

import msgspec

from cloud_sync.wire.errors import MessageDamagedError, MessageInvalidError
from cloud_sync.wire.version import MAX_PAYLOAD_BYTES, PROTOCOL


class Stream(StrEnum):
    """The two streams of a gateway."""

    EVENTS = "events"
    SAMPLES = "samples"


class ClockQuality(IntEnum):
    """How far the gateway's own clock could be trusted when the batch was sealed."""

    UNKNOWN = 0
    SYNCHRONISED = 1
    UNSYNCHRONISED = 2


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """One sealed batch. Times in µs since 1970 UTC, ``monotonic_us`` since the boot ``boot``."""

    protocol: int
    stream: str
    epoch: str
    seq: int
    count: int
    first_us: int
    last_us: int
    boot: str
    monotonic_us: int
    clock: int
    sha256: bytes
    payload: bytes


class Seal(msgspec.Struct, frozen=True):
    """Who seals, and when: the fields of a batch that do not come from its content."""

    stream: Stream
    epoch: str
    seq: int
    boot: str
    monotonic_us: int
    clock: ClockQuality


_decoder = msgspec.msgpack.Decoder(Batch)


def seal_batch(seal: Seal, *, count: int, first_us: int, last_us: int, payload: bytes) -> bytes:
    """Number, hash and pack a payload; the bytes are what is stored and sent."""
    batch = Batch(
        PROTOCOL, seal.stream.value, seal.epoch, seal.seq, count, first_us, last_us,
        seal.boot, seal.monotonic_us, seal.clock.value, b"", payload,
    )  # fmt: skip
    return msgspec.msgpack.encode(msgspec.structs.replace(batch, sha256=digest(batch)))


def open_batch(message: bytes) -> Batch:
    """Unpack a batch and check its hash and limits.

    Raises:
        MessageDamagedError: not a batch, or the hash does not match.
        MessageInvalidError: a protocol this version does not speak, or over a limit.

    """
    try:
        batch = _decoder.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        msg = f"not a batch: {exc}"
        raise MessageDamagedError(msg) from exc
    if digest(batch) != batch.sha256:
        msg = f"batch {batch.stream}/{batch.epoch}/{batch.seq} does not match its SHA-256"
        raise MessageDamagedError(msg)
    if batch.protocol != PROTOCOL:
        msg = f"batch speaks protocol {batch.protocol}, this end speaks {PROTOCOL}"
        raise MessageInvalidError(msg)
    if batch.seq < 1 or batch.count < 1 or len(batch.payload) > MAX_PAYLOAD_BYTES:
        msg = (
            f"batch {batch.stream}/{batch.epoch}/{batch.seq} with {batch.count} items in "
            f"{len(batch.payload)} bytes is outside the limits ({MAX_PAYLOAD_BYTES} bytes)"
        )
        raise MessageInvalidError(msg)
    return batch


def digest(batch: Batch) -> bytes:
    """SHA-256 over everything but the hash itself: the header as msgpack, then the payload."""
    header = msgspec.msgpack.encode((
        batch.protocol, batch.stream, batch.epoch, batch.seq, batch.count, batch.first_us,
        batch.last_us, batch.boot, batch.monotonic_us, batch.clock,
    ))  # fmt: skip
    return hashlib.sha256(header + batch.payload).digest()
