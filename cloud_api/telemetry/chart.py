"""The chart of one point: its chunks read, folded, and the stretches that need a word."""

import asyncio
from datetime import datetime
from uuid import UUID

from cloud_api.db.session import Database
from cloud_api.errors import NotFoundError
from cloud_api.registry import service as registry
from cloud_api.telemetry import queries, spans
from cloud_api.telemetry.arrays import Chunk, series_of
from cloud_api.telemetry.clocks import queries as clocks
from cloud_api.telemetry.history import Series, Window, bad_spans, clip, downsample, numbers
from cloud_api.telemetry.schemas import History, Span

THREAD_FROM_CHUNKS = 500
"""From this many chunks on the folding is done beside the event loop."""


async def chart(
    database: Database,
    tenant: UUID,
    point: int,
    *,
    start: datetime,
    end: datetime,
    buckets: int,
    now: datetime,
) -> History:
    """Fold the samples of a point in [start, end) into buckets.

    Raises:
        NotFoundError: the tenant has no such point.

    """
    async with database.transaction(tenant) as db:
        facts = await queries.point_facts(db, tenant, point)
        if facts is None:
            raise NotFoundError
        chunks = await queries.chunks_between(db, tenant, point, start, end)
        marked = await queries.late_spans(db, tenant, facts.gateway, start, end)
        marked += await queries.lost_spans(db, tenant, facts.gateway, start, end)
        marked += await clocks.clock_spans(db, tenant, facts.gateway, start, end)
        silences = await queries.silence_of_device(db, tenant, facts.gateway, facts.device, end)
        marked += spans.outage_spans(
            await registry.outages(db, tenant, facts.gateway, start, end, limit=spans.MAX_SPANS)
        )
    marked += spans.silent_span(facts.last_contact_at, now)
    marked += spans.device_spans(silences, now)
    window = Window(_microseconds(start), _microseconds(end), buckets)
    if len(chunks) < THREAD_FROM_CHUNKS:
        series = _clipped(chunks, window)
    else:
        series = await asyncio.to_thread(_clipped, chunks, window)
    marked += spans.bad_spans(bad_spans(series))
    return _history(series, window, spans.within(marked, start, end))


def _clipped(chunks: list[Chunk], window: Window) -> Series:
    return clip(series_of(chunks), window)


def _history(series: Series, window: Window, marked: list[spans.Span]) -> History:
    folded = downsample(series, window)
    return History.model_construct(
        start=spans.time_of(window.start_us),
        end=spans.time_of(window.end_us),
        bucket_s=window.width_us / 1e6,
        time=(folded.starts_us // 1000).tolist(),
        min=numbers(folded.minimum),
        max=numbers(folded.maximum),
        mean=numbers(folded.mean),
        last=numbers(folded.last),
        count=folded.count.tolist(),
        good=folded.good.tolist(),
        spans=[
            Span.model_construct(kind=s.kind, start=s.start, end=s.end, reason=s.reason)
            for s in marked
        ],
    )


def _microseconds(time: datetime) -> int:
    delta = time - spans.time_of(0)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
