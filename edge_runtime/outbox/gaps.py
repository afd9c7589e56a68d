"""Gaps: what the outbox had to give up, as events for both ends to print."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import msgspec

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.errors import MessageInvalidError
from cloud_sync.wire.events import Event, EventKind, Gap, body_of
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


def inherit(
    events: Sequence[Event], epoch: str, number: Callable[[Stream], int]
) -> tuple[list[Event], list[Gap]]:
    """Turn the gaps of another outbox into gaps of this one; gives all events, and those gaps.

    ``number`` gives a number away. The other outbox's own numbers mean nothing to the cloud.

    Raises:
        MessageInvalidError: a gap cannot be read.

    """
    told: list[Event] = []
    gaps: list[Gap] = []
    for event in events:
        if event.kind != EventKind.GAP:
            told.append(event)
            continue
        gap = body_of(event, Gap)
        if gap.stream not in set(Stream):
            msg = f"a gap in a stream '{gap.stream}'"
            raise MessageInvalidError(msg)
        seq = number(Stream(gap.stream))
        gaps.append(msgspec.structs.replace(gap, epoch=epoch, first=seq, last=seq))
        told.append(gap_event(gaps[-1], event.time_us))
    return told, gaps
