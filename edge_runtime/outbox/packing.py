"""Items encoded into payloads that fit the wire's limits."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import zstandard

from cloud_sync.wire.events import Event, encode_events
from cloud_sync.wire.samples import Sample, encode_samples
from cloud_sync.wire.version import MAX_PAYLOAD_BYTES, MAX_UNPACKED_BYTES

T = TypeVar("T", Sample, Event)


class Packed(NamedTuple):
    """Items encoded as the payload of one batch."""

    items: int
    first_us: int
    last_us: int
    payload: bytes


def pack_samples(samples: Sequence[Sample]) -> Packed:
    """Encode samples as columns."""
    times = [sample.received_us for sample in samples]
    return Packed(len(samples), min(times), max(times), encode_samples(samples))


def pack_events(events: Sequence[Event]) -> Packed:
    """Encode events."""
    times = [event.time_us for event in events]
    return Packed(len(events), min(times), max(times), encode_events(list(events)))


def fitting(items: Sequence[T], pack: Callable[[Sequence[T]], Packed]) -> Packed:
    """Pack as many items from the front as one batch may hold; an empty payload for none."""
    packed = pack(items)
    if _fits(packed.payload):
        return packed
    if len(items) == 1:
        return packed._replace(payload=b"")
    return fitting(items[: len(items) // 2], pack)


def _fits(payload: bytes) -> bool:
    unpacked = zstandard.frame_content_size(payload)
    return len(payload) <= MAX_PAYLOAD_BYTES and unpacked <= MAX_UNPACKED_BYTES
