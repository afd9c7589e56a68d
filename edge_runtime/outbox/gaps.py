"""Gaps: what the outbox had to give up, as events for both ends to print."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from cloud_sync.wire.events import Event, EventKind, Gap
from cloud_sync.wire.ranges import Ranges, union


class GapReason(StrEnum):
    """Why batches or samples are lost."""

    FULL = "full"
    """The outbox reached its cap, or the disk was full: the oldest samples gave way."""
    DAMAGED = "damaged"
    """A segment did not verify."""
    EPOCH = "epoch"
    """The numbers of an epoch could not be known any more; a new one began."""
    OVERFLOW = "overflow"
    """The disk took nothing and the memory for waiting samples ran out; they got a number together."""
    TOO_LARGE = "too_large"
    """One sample or event alone was larger than a batch may be."""


def numbered_gaps(stream: str, epoch: str, lost: Ranges, reason: GapReason) -> list[Gap]:
    """Make a gap of each range, with unknown content."""
    return [Gap(stream, epoch, low, high - 1, 0, reason.value) for low, high in lost]


def ranges_of(gaps: Iterable[Gap], stream: str, epoch: str) -> Ranges:
    """Collect the numbers that gaps of one stream and epoch cover."""
    mine = (gap for gap in gaps if (gap.stream, gap.epoch) == (stream, epoch))
    return union((gap.first, gap.last + 1) for gap in mine)


def gap_event(gap: Gap, time_us: int) -> Event:
    """Wrap a gap. The same numbers give the same id, so that telling it twice changes nothing."""
    text = f"{gap.stream}/{gap.epoch}/{gap.first}/{gap.last}"
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    return Event(f"gap-{name}", EventKind.GAP.value, time_us, msgspec.to_builtins(gap))
