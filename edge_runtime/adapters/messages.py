"""What adapter and runtime say to each other: msgpack arrays that begin with the message's name.

Fields are added at the end with a default, never renamed; anything else raises ``PROTOCOL``.
"""

from collections.abc import Sequence

import msgspec

from cloud_sync.wire.samples import Value
from edge_runtime.errors import AdapterLinkError
from edge_runtime.model import Quality, Reading
from edge_runtime.normalise import Normalised

PROTOCOL = 1
WINDOW = 8
"""Batches that may be on their way before the first of them is taken."""
MAX_ASKED = 64
"""Requests to one adapter that may wait for their answer."""


class Hello(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The adapter's first word."""

    protocol: int
    adapter: str
    pid: int
    version: str
    epoch: str
    """Of the adapter's outbox."""
    known: dict[str, int]
    """By stream, the last number that it remembers as taken; the runtime may know more."""


class Welcome(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The runtime's answer: the numbers up to which it has everything of that epoch."""

    protocol: int
    taken: dict[str, int]


class Refusal(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The runtime does not talk to this adapter; it closes the socket."""

    reason: str


class Handover(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """A sealed batch of the adapter's outbox.

    ``after`` is the number of the batch before it in its stream: it may only be taken once that one
    is, whatever happened to that.
    """

    stream: str
    seq: int
    after: int
    message: bytes


class Taken(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The runtime has everything up to this number, durably."""

    stream: str
    seq: int


class Later(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The runtime cannot take this batch now: its disk is full, or the one before is not there."""

    stream: str
    seq: int
    reason: str


class Unfit(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The runtime will never take this batch; the adapter has to give it up as a gap."""

    stream: str
    seq: int
    reason: str


class Live(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Present values of one device, for rules: every reading, worth sending or not.

    ``reasons`` and ``sources_us`` are empty where no reading has one.
    """

    at: float
    """Seconds on CLOCK_MONOTONIC, which both processes share."""
    device: str
    received_us: int
    points: list[str]
    values: list[Value | None]
    qualities: bytes
    reasons: list[str] = []
    sources_us: list[int | None] = []


class Ask(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """The runtime wants something done: ``refresh`` reads every point of a device and sends it."""

    number: int
    what: str
    device: str


class Answer(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """How it went; an empty error is success."""

    number: int
    error: str = ""


FromAdapter = Hello | Handover | Live | Answer
FromRuntime = Welcome | Refusal | Taken | Later | Unfit | Ask

_encode = msgspec.msgpack.Encoder().encode
_from_adapter: msgspec.msgpack.Decoder[FromAdapter] = msgspec.msgpack.Decoder(FromAdapter)
_from_runtime: msgspec.msgpack.Decoder[FromRuntime] = msgspec.msgpack.Decoder(FromRuntime)


def encode(message: FromAdapter | FromRuntime) -> bytes:
    """Pack a message."""
    return _encode(message)


def from_adapter(body: bytes) -> FromAdapter:
    """Read what an adapter says.

    Raises:
        AdapterLinkError: it is none of its messages.

    """
    try:
        return _from_adapter.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        msg = f"not a message of an adapter: {exc}"
        raise AdapterLinkError(msg) from exc


def from_runtime(body: bytes) -> FromRuntime:
    """Read what the runtime says.

    Raises:
        AdapterLinkError: it is none of its messages.

    """
    try:
        return _from_runtime.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        msg = f"not a message of the runtime: {exc}"
        raise AdapterLinkError(msg) from exc


def live_of(device: str, readings: Sequence[Reading], at: float) -> Live:
    """Pack readings that were received together."""
    reasons = [str(reading.reason) for reading in readings]
    sources = [reading.source_us for reading in readings]
    return Live(
        at,
        device,
        readings[0].received_us,
        [reading.point for reading in readings],
        [reading.value for reading in readings],
        bytes(reading.quality for reading in readings),
        reasons if any(reasons) else [],
        sources if sources.count(None) < len(sources) else [],
    )


def readings_of(live: Live) -> Normalised:
    """Unpack readings; none of them is to be recorded, the batches are for that.

    Raises:
        AdapterLinkError: the columns do not fit together.

    """
    count = len(live.points)
    reasons = live.reasons or [""] * count
    sources = live.sources_us or [None] * count
    prefix = f"{live.device}/"
    try:
        readings = [
            Reading(point, value, Quality(quality), reason, source_us, live.received_us)
            for point, value, quality, reason, source_us in zip(
                live.points, live.values, live.qualities, reasons, sources, strict=True
            )
        ]
    except ValueError as exc:
        msg = f"present values of {live.device} do not fit together: {exc}"
        raise AdapterLinkError(msg) from exc
    if not all(reading.point.startswith(prefix) for reading in readings):
        msg = f"present values of {live.device} name points of another device"
        raise AdapterLinkError(msg)
    return Normalised(live.device, readings, ())
