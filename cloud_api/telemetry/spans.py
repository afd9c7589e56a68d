"""Stretches of a chart that need a word: back-filled, lost, silent, bad."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from cloud_api.registry.states import SILENT_AFTER
from cloud_sync.wire.events import EventKind

MAX_SPANS = 500
"""Of each kind in one answer."""
JOIN_WITHIN = timedelta(seconds=5)
"""Stretches nearer to each other than this are one."""
NO_CONTACT = "no contact with the gateway"


SpanKind = Literal["backfilled", "lost", "silent", "outage", "device_silent", "bad", "clock"]
"""``silent`` goes on now, ``outage`` is over: what was read meanwhile has come, back-filled.

``clock``: the gateway did not know the time; the reason says whether it was repaired.
"""


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch."""

    kind: SpanKind
    start: datetime
    end: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PointFacts:
    """Where a point belongs, as far as its chart needs it."""

    gateway: UUID
    device: str
    last_contact_at: datetime | None


def silent_span(last_contact_at: datetime | None, now: datetime) -> list[Span]:
    """Give the stretch since the last contact, when that is too long ago."""
    if last_contact_at is None or now - last_contact_at <= SILENT_AFTER:
        return []
    return [Span("silent", last_contact_at, now, NO_CONTACT)]


def outage_spans(outages: Iterable[tuple[datetime, datetime]]) -> list[Span]:
    """Give the past outages of the line; what was read meanwhile came back-filled."""
    return [Span("outage", began_at, ended_at, NO_CONTACT) for began_at, ended_at in outages]


def device_spans(events: Iterable[tuple[str, datetime, str]], now: datetime) -> list[Span]:
    """Pair the times when a device fell silent with those when it came back."""
    spans: list[Span] = []
    since: tuple[datetime, str] | None = None
    for kind, time, reason in events:
        if kind == EventKind.DEVICE_SILENT:
            since = since or (time, reason)
        elif since is not None:
            spans.append(Span("device_silent", since[0], time, since[1]))
            since = None
    if since is not None:
        spans.append(Span("device_silent", since[0], max(now, since[0]), since[1]))
    return spans


def bad_spans(pairs: Iterable[tuple[int, int]]) -> list[Span]:
    """Give the stretches without a usable value; times in µs since 1970."""
    return [Span("bad", time_of(start), time_of(end)) for start, end in pairs]


def within(spans: Sequence[Span], start: datetime, end: datetime) -> list[Span]:
    """Keep what overlaps [start, end), cut to it."""
    return [
        Span(span.kind, max(span.start, start), min(span.end, end), span.reason)
        for span in spans
        if span.end >= start and span.start < end
    ]


def time_of(microseconds: int) -> datetime:
    """Give the time for µs since 1970, exactly."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
