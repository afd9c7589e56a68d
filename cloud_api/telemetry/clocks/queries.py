"""SQL of clocks: what gateways told of theirs, and the times that this repairs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cloud_api.db.session import Db
from cloud_api.registry.states import LATE_AFTER
from cloud_api.telemetry.spans import JOIN_WITHIN, MAX_SPANS, Span
from cloud_sync.wire.events import ClockSynchronised
from cloud_sync.wire.quality import Reason

MAX_HOURS = 100
"""Hours of points that one transaction repairs."""

REASONS = {1: Reason.CLOCK_UNSYNCHRONISED.value, 2: Reason.CLOCK_REPAIRED.value}
"""What the column ``clock`` says."""

DoubtfulHour = tuple[UUID, int, str, datetime]
"""Gateway, point, boot, and the hour that the samples claim."""


async def note_clock(
    db: Db, tenant: UUID, gateway: UUID, event: str, body: ClockSynchronised
) -> None:
    """Keep what a gateway told when its clock was synchronised."""
    await db.execute(
        """
        INSERT INTO clock_repair (
            tenant_id, gateway_id, boot, event_id, offset_us, froms, tos, offsets)
        VALUES (%s, %s, %s, %s, %s, %s::bigint[], %s::bigint[], %s::bigint[])
        ON CONFLICT DO NOTHING
        """,
        (
            tenant,
            gateway,
            body.boot,
            event,
            body.offset_us,
            [span.from_us for span in body.spans],
            [span.to_us for span in body.spans],
            [span.offset_us for span in body.spans],
        ),
    )


async def repair_batches(db: Db, tenant: UUID) -> None:
    """Repair the times that batches name."""
    await db.execute(
        """
        UPDATE batch SET
            first_at = first_at + found.shift, last_at = last_at + found.shift,
            late = ingested_at - (last_at + found.shift) > make_interval(secs => %s),
            clock = found.verdict
        FROM (
            SELECT gateway_id, stream, epoch, seq,
                CASE WHEN abs(us) >= 1000000 THEN us ELSE 0 END * interval '1 microsecond' AS shift,
                (CASE WHEN abs(us) >= 1000000 THEN 2 ELSE 0 END)::smallint AS verdict
            FROM (
                SELECT batch.*, clock_shift(
                    gateway_id, boot, (extract(epoch FROM first_at) * 1000000)::bigint) AS us
                FROM batch JOIN (
                    SELECT DISTINCT gateway_id, boot FROM clock_repair WHERE tenant_id = %s
                ) AS known USING (gateway_id, boot)
                WHERE tenant_id = %s AND clock = 1
            ) AS doubtful WHERE us IS NOT NULL
        ) AS found
        WHERE batch.tenant_id = %s AND batch.gateway_id = found.gateway_id
            AND batch.stream = found.stream AND batch.epoch = found.epoch AND batch.seq = found.seq
        """,
        (LATE_AFTER.total_seconds(), tenant, tenant, tenant),
    )


async def doubtful_hours(db: Db, tenant: UUID) -> list[DoubtfulHour]:
    """Find some hours of points with samples in doubt of boots whose clock is known now."""
    rows = await db.execute(
        """
        SELECT DISTINCT known.gateway_id, chunk.point_id, chunk.boot,
            date_trunc('hour', chunk.first, 'UTC') AS hour
        FROM (SELECT DISTINCT gateway_id, boot FROM clock_repair WHERE tenant_id = %s) AS known
        JOIN sample_chunk AS chunk ON chunk.boot = known.boot AND chunk.clock = 1
        JOIN point ON point.tenant_id = chunk.tenant_id AND point.id = chunk.point_id
            AND point.gateway_id = known.gateway_id
        WHERE chunk.tenant_id = %s
            AND clock_shift(known.gateway_id, chunk.boot, chunk.times[1]) IS NOT NULL
        ORDER BY hour, chunk.point_id LIMIT %s
        """,
        (tenant, tenant, MAX_HOURS),
    )
    return await rows.fetchall()


async def repair_samples(db: Db, tenant: UUID, hours: Sequence[DoubtfulHour]) -> int:
    """Move the samples of these hours to where they belong; gives how many."""
    rows = await db.execute(
        """
        SELECT coalesce(sum(repair_chunks(point.gateway_id, point.id, wanted.boot, wanted.hour)), 0)
        FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[])
            AS wanted (gateway, point, boot, hour)
        JOIN point ON point.id = wanted.point AND point.gateway_id = wanted.gateway
        WHERE point.tenant_id = %s
        """,
        (*(list(column) for column in zip(*hours, strict=True)), tenant),
    )
    row = await rows.fetchone()
    return int(row[0]) if row else 0


async def clock_spans(
    db: Db, tenant: UUID, gateway: UUID, start: datetime, end: datetime
) -> list[Span]:
    """Find the stretches whose times are in doubt or were repaired, neighbours joined."""
    rows = await db.execute(
        """
        SELECT lower(stretch), upper(stretch), clock FROM (
            SELECT clock, unnest(range_agg(
                tstzrange(first_at, greatest(last_at, first_at) + %(join)s)
            )) AS stretch
            FROM batch
            WHERE tenant_id = %(tenant)s AND gateway_id = %(gateway)s AND clock > 0
                AND stream = 'samples' AND last_at >= %(start)s AND first_at < %(end)s
            GROUP BY clock
        ) AS found ORDER BY 1, 3 LIMIT %(limit)s
        """,
        {
            "tenant": tenant,
            "gateway": gateway,
            "start": start,
            "end": end,
            "join": JOIN_WITHIN,
            "limit": MAX_SPANS,
        },
    )
    return [
        Span("clock", low, high - JOIN_WITHIN, REASONS[clock]) async for low, high, clock in rows
    ]
