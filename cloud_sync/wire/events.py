"""Events: what must never be lost and is few. The payload of a batch of the stream ``events``.

An event is an envelope with a body; the body's shape follows from its kind. A kind that this
version does not know is kept and ignored.
"""

from enum import StrEnum
from typing import Any, TypeVar

import msgspec
import zstandard

from cloud_sync.wire.errors import MessageInvalidError
from cloud_sync.wire.samples import ZSTD_LEVEL, Value, unpack
from cloud_sync.wire.version import MAX_BATCH_EVENTS

B = TypeVar("B")


class EventKind(StrEnum):
    """What happened."""

    GATEWAY_STARTED = "gateway.started"
    POINTS_DECLARED = "points.declared"
    ALERT_RAISED = "alert.raised"
    ALERT_CLEARED = "alert.cleared"
    DEVICE_SILENT = "device.silent"
    DEVICE_BACK = "device.back"
    GAP = "gap"
    COMMAND_RESULT = "command.result"
    CLOCK_SYNCHRONISED = "clock.synchronised"


class Event(msgspec.Struct, frozen=True):
    """One event. ``id`` is unique for ever, so that applying it twice changes nothing."""

    id: str
    kind: str
    time_us: int
    body: dict[str, Any]


class GatewayStarted(msgspec.Struct, frozen=True):
    """The runtime started: after a boot, an update or a crash."""

    version: str
    boot: str


class PointDeclared(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the cloud needs to know of a point to show it."""

    name: str
    kind: str
    """``float``, ``integer``, ``boolean``, ``text`` or ``enumeration``."""
    unit: str = ""
    """UCUM code: ``Cel``, ``bar``, ``kW.h``; empty for none."""
    description: str = ""
    labels: dict[str, str] = {}
    """Text of each value of an enumeration, by its number in decimal."""
    decimals: int | None = None
    interval_s: float = 1.0
    max_silence_s: float = 60.0
    """A good point sends at least one sample in ``max_silence_s + interval_s``."""


class DeviceDeclared(msgspec.Struct, frozen=True, omit_defaults=True):
    """One device with its points; a later declaration of the same name replaces it."""

    name: str
    protocol: str
    address: str = ""
    profile: str = ""
    vendor: str = ""
    model: str = ""
    description: str = ""
    points: list[PointDeclared] = []


class PointsDeclared(msgspec.Struct, frozen=True):
    """All devices and points of a gateway, sent at start and whenever they change."""

    devices: list[DeviceDeclared]


class AlertRaised(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule's condition became true."""

    alert: str
    """Unique for ever; the clearing event names it."""
    rule: str
    point: str
    priority: str
    """``low``, ``medium``, ``high`` or ``critical``."""
    message: str
    value: Value | None = None


class AlertCleared(msgspec.Struct, frozen=True, omit_defaults=True):
    """The condition of a raised alert ended."""

    alert: str
    rule: str
    point: str
    value: Value | None = None


class DeviceSilent(msgspec.Struct, frozen=True):
    """A device stopped answering."""

    device: str
    reason: str


class DeviceBack(msgspec.Struct, frozen=True):
    """A device answers again. ``silent_s`` is how long it did not."""

    device: str
    silent_s: float


class Gap(msgspec.Struct, frozen=True, omit_defaults=True):
    """Batches ``first`` to ``last`` of a stream are lost for good, ``count`` items in them.

    ``count`` is 0 where it cannot be known. Numbers that the cloud received nevertheless are not
    lost.
    """

    stream: str
    epoch: str
    first: int
    last: int
    count: int
    reason: str
    """``full``, ``damaged``, ``epoch``, ``overflow`` or ``too_large``."""
    first_us: int | None = None
    """Gateway time of the first and last lost item, where known."""
    last_us: int | None = None


class ClockSpan(msgspec.Struct, frozen=True):
    """A stretch of a boot in which the wall time, right or wrong, kept its offset.

    ``from_us`` and ``to_us`` are monotonic times, ``offset_us`` is wall minus monotonic time.
    """

    from_us: int
    to_us: int
    offset_us: int


class ClockSynchronised(msgspec.Struct, frozen=True):
    """The gateway's clock is held by NTP or the like, and was not before in this boot.

    ``offset_us`` is the true one. What lies in batches of this boot that say that their clock was
    not synchronised was off by the difference to the offset of its span.
    """

    boot: str
    offset_us: int
    spans: list[ClockSpan]


class CommandResult(msgspec.Struct, frozen=True):
    """How a command ended: ``state`` is ``succeeded``, ``failed`` or ``expired``."""

    command: str
    state: str
    reason: str = ""


_decoder = msgspec.msgpack.Decoder(list[Event])


def encode_events(events: list[Event]) -> bytes:
    """Pack events into the payload of one batch.

    Raises:
        MessageInvalidError: there are none, or more than ``MAX_BATCH_EVENTS``.

    """
    if not 0 < len(events) <= MAX_BATCH_EVENTS:
        msg = f"a batch holds 1 to {MAX_BATCH_EVENTS} events, not {len(events)}"
        raise MessageInvalidError(msg)
    return zstandard.compress(msgspec.msgpack.encode(events), ZSTD_LEVEL)


def decode_events(payload: bytes) -> list[Event]:
    """Unpack a payload into events.

    Raises:
        MessageDamagedError: the bytes are not zstd or not msgpack.
        MessageInvalidError: it would unpack to too much.

    """
    return unpack(payload, _decoder)


def body_of(event: Event, body: type[B]) -> B:
    """Read an event's body.

    Raises:
        MessageInvalidError: a field is missing or of another type.

    """
    try:
        return msgspec.convert(event.body, body)
    except msgspec.ValidationError as exc:
        msg = f"event {event.id} of kind {event.kind}: {exc}"
        raise MessageInvalidError(msg) from exc
