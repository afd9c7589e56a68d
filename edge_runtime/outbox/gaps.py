"""Gaps: what the outbox had to give up, as events for both ends to print."""

import hashlib
import secrets
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from cloud_sync.wire.events import Event, EventKind, Gap
from cloud_sync.wire.ranges import Ranges


class GapReason(StrEnum):
    """Why batches or samples are lost."""

    FULL = "full"
    """The outbox reached its cap, or the disk was full: the oldest samples gave way."""
    DAMAGED = "damaged"
    """A segment did not verify."""
    EPOCH = "epoch"
    """The numbers of an epoch could not be known any more; a new one began."""
    OVERFLOW = "overflow"
    """The disk took nothing and the memory for waiting samples ran out; they had no number yet."""
    TOO_LARGE = "too_large"
    """One sample or event alone was larger than a batch may be; it had no number yet."""


def numbered_gaps(stream: str, epoch: str, lost: Ranges, reason: GapReason) -> list[Gap]:
    """Make a gap of each range, with unknown content."""
    return [Gap(stream, epoch, low, high - 1, 0, reason.value) for low, high in lost]


def unnumbered_gap(stream: str, epoch: str, next_seq: int, count: int, reason: GapReason) -> Gap:
    """Make a gap of items that never had a number: its range is empty, before the next number."""
    return Gap(stream, epoch, next_seq, next_seq - 1, count, reason.value)


def gap_event(gap: Gap, time_us: int) -> Event:
    """Wrap a gap. The same numbers give the same id, so that telling it twice changes nothing."""
    if gap.last < gap.first:
        name = secrets.token_hex(16)
    else:
        text = f"{gap.stream}/{gap.epoch}/{gap.first}/{gap.last}"
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
    return Event(f"gap-{name}", EventKind.GAP.value, time_us, msgspec.to_builtins(gap))


def ranges_of(gaps: Iterable[Gap], stream: str, epoch: str) -> Ranges:
    """Collect the numbers that gaps of one stream and epoch cover."""
    found = [(g.first, g.last + 1) for g in gaps if (g.stream, g.epoch) == (stream, epoch)]
    return tuple(sorted(found))
