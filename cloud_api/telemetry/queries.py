"""SQL of telemetry: what was received, events and gaps, chunks of samples, the newest of each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb

from cloud_api.db.session import Db
from cloud_api.registry.states import LATE_AFTER
from cloud_api.telemetry.arrays import ARRAY_OIDS, Bigints, Chunk, Doubles, RawLoader, Smallints
from cloud_api.telemetry.doubt import boot_in_doubt
from cloud_api.telemetry.gather import CHUNK_SPAN_US
from cloud_api.telemetry.latest import STALE_SLACK_S, Health, Latest
from cloud_api.telemetry.newest import NO_TIME, Newest
from cloud_api.telemetry.spans import JOIN_WITHIN, MAX_SPANS, PointFacts, Span
from cloud_api.telemetry.uploads import Number, Plan
from cloud_sync.wire.events import Event, Gap
from cloud_sync.wire.identity import StreamState
from cloud_sync.wire.ranges import render

SMALL_CHUNK = 8
"""Chunks of fewer samples are joined by the database."""
CHUNK_SPAN = timedelta(microseconds=CHUNK_SPAN_US)


async def received(
    db: Db, tenant: UUID, gateway: UUID, numbers: Sequence[Number]
) -> dict[Number, bytes | None]:
    """Give those numbers that were received before, with their hash where it is remembered."""
    rows = await db.execute(
        """
        SELECT stream.stream, stream.epoch, number.seq, batch.sha256
        FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS number (stream, epoch, seq)
        JOIN stream USING (stream, epoch)
        LEFT JOIN batch USING (tenant_id, gateway_id, stream, epoch, seq)
        WHERE tenant_id = %s AND gateway_id = %s AND stream.received @> number.seq
        """,
        (
            [stream for (stream, _), _ in numbers],
            [epoch for (_, epoch), _ in numbers],
            [seq for _, seq in numbers],
            tenant,
            gateway,
        ),
    )
    return {((stream, epoch), seq): sha256 async for stream, epoch, seq, sha256 in rows}


async def record(
    db: Db,
    tenant: UUID,
    gateway: UUID,
    made: Plan,
    newest: Newest,
    *,
    now: datetime,
) -> None:
    """Book what an upload brought, in one statement: batches, numbers received, newest samples.

    ``latest`` keeps the newest sample of each point and its newest good one; late data changes
    neither.
    """
    batches, gains = [opened.batch for opened in made.new], made.gains()
    await db.execute(
        """
        WITH remembered AS (
            INSERT INTO batch (
                tenant_id, gateway_id, stream, epoch, seq, count, first_at, last_at, sha256, late,
                clock, boot, monotonic_us)
            SELECT %(tenant)s, %(gateway)s, stream, epoch, seq, count, time_of(first_us), time_of(last_us),
                sha256, now() - time_of(last_us) > make_interval(secs => %(late)s),
                CASE WHEN boot IS NULL THEN 0 ELSE 1 END, boot,
                CASE WHEN boot IS NOT NULL THEN monotonic END
            FROM unnest(%(stream)s::text[], %(epoch)s::text[], %(seq)s, %(count)s, %(first)s,
                %(last)s, %(sha256)b::bytea[], %(boot)s::text[], %(monotonic)s)
                AS item (stream, epoch, seq, count, first_us, last_us, sha256, boot, monotonic)
        ), booked AS (
            INSERT INTO stream AS old (tenant_id, gateway_id, stream, epoch, received, samples)
            SELECT %(tenant)s, %(gateway)s, stream, epoch, received::int8multirange, samples
            FROM unnest(%(streams)s::text[], %(epochs)s::text[], %(received)s::text[], %(samples)s)
                AS gain (stream, epoch, received, samples)
            ON CONFLICT (tenant_id, gateway_id, stream, epoch) DO UPDATE SET
                received = old.received + excluded.received,
                lost = old.lost - excluded.received,
                samples = old.samples + excluded.samples
        )
        INSERT INTO latest AS old (
            tenant_id, point_id, time, value, text, quality, reason, good_at, good_value, good_text)
        SELECT %(tenant)s, point_id, time_of(us), nullif(value, 'NaN'), text,
            (%(qualities)s::smallint[])[verdict + 1], (%(reasons)s::text[])[verdict + 1],
            CASE WHEN good_us > %(no_time)s THEN time_of(good_us) END, nullif(good_value, 'NaN'),
            good_text
        FROM unnest(%(points)s, %(times)s, %(values)s, %(verdict)s, %(good_times)s,
            %(good_values)s, %(texts)s::text[], %(good_texts)s::text[]) AS item (
            point_id, us, value, verdict, good_us, good_value, text, good_text)
        ON CONFLICT (tenant_id, point_id) DO UPDATE SET
            time = CASE WHEN wins(excluded.time, old.time) THEN excluded.time ELSE old.time END,
            value = CASE WHEN wins(excluded.time, old.time) THEN excluded.value ELSE old.value END,
            text = CASE WHEN wins(excluded.time, old.time) THEN excluded.text ELSE old.text END,
            quality = CASE WHEN wins(excluded.time, old.time)
                THEN excluded.quality ELSE old.quality END,
            reason = CASE WHEN wins(excluded.time, old.time)
                THEN excluded.reason ELSE old.reason END,
            good_at = CASE WHEN wins(excluded.good_at, old.good_at)
                THEN excluded.good_at ELSE old.good_at END,
            good_value = CASE WHEN wins(excluded.good_at, old.good_at)
                THEN excluded.good_value ELSE old.good_value END,
            good_text = CASE WHEN wins(excluded.good_at, old.good_at)
                THEN excluded.good_text ELSE old.good_text END
        """,
        {
            "tenant": tenant,
            "gateway": gateway,
            "late": LATE_AFTER.total_seconds(),
            "stream": [batch.stream for batch in batches],
            "epoch": [batch.epoch for batch in batches],
            "seq": Bigints(np.array([batch.seq for batch in batches])),
            "count": Bigints(np.array([batch.count for batch in batches])),
            "first": Bigints(np.array([batch.first_us for batch in batches])),
            "last": Bigints(np.array([batch.last_us for batch in batches])),
            "sha256": [batch.sha256 for batch in batches],
            "boot": [boot_in_doubt(batch, now) for batch in batches],
            "monotonic": Bigints(np.array([batch.monotonic_us for batch in batches])),
            "streams": [gain.stream for gain in gains],
            "epochs": [gain.epoch for gain in gains],
            "received": [render(gain.numbers) for gain in gains],
            "samples": Bigints(np.array([gain.samples for gain in gains])),
            "points": Bigints(newest.point_ids),
            "times": Bigints(newest.times),
            "values": Doubles(newest.values),
            "verdict": Smallints(newest.verdict),
            "good_times": Bigints(newest.good_times),
            "good_values": Doubles(newest.good_values),
            "texts": newest.texts,
            "good_texts": newest.good_texts,
            "qualities": newest.qualities,
            "reasons": newest.reasons,
            "no_time": NO_TIME,
        },
    )


async def add_gap(db: Db, tenant: UUID, gateway: UUID, gap: Gap, noticed_at: datetime) -> None:
    """Book the numbers of a gap as lost, but for those that were received after all."""
    await db.execute(
        """
        INSERT INTO stream AS old (tenant_id, gateway_id, stream, epoch, lost)
        VALUES (%s, %s, %s, %s, int8multirange(int8range(%s, %s, '[]')))
        ON CONFLICT (tenant_id, gateway_id, stream, epoch) DO UPDATE SET
            lost = old.lost + (excluded.lost - old.received)
        """,
        (tenant, gateway, gap.stream, gap.epoch, gap.first, gap.last),
    )
    await db.execute(
        """
        INSERT INTO gap (
            tenant_id, gateway_id, stream, epoch, first, last, count, reason, noticed_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, left(%s, 500), %s)
        ON CONFLICT DO NOTHING
        """,
        (
            tenant,
            gateway,
            gap.stream,
            gap.epoch,
            gap.first,
            gap.last,
            gap.count,
            gap.reason,
            noticed_at,
        ),
    )


async def add_event(db: Db, tenant: UUID, gateway: UUID, event: Event, time: datetime) -> bool:
    """Keep an event; tells whether it is new."""
    rows = await db.execute(
        """
        INSERT INTO gateway_event (tenant_id, gateway_id, id, kind, time, body)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (tenant, gateway, event.id, event.kind, time, Jsonb(event.body)),
    )
    return rows.rowcount == 1


async def copy_doubtful_chunks(db: Db, tenant: UUID, data: bytes) -> None:
    """Append chunks whose times are in doubt; as :func:`copy_chunks`."""
    del tenant
    cursor = db.cursor()
    async with cursor.copy(
        "COPY sample_chunk (tenant_id, point_id, first, last, count, times, values, qualities,"
        " reasons, texts, clock, boot) FROM STDIN (FORMAT BINARY)"
    ) as copy:
        await copy.write(data)


async def copy_chunks(db: Db, tenant: UUID, data: bytes) -> None:
    """Append chunks to the history; ``data`` carries ``tenant`` in every row.

    Needs :func:`cloud_api.db.session.copying`.
    """
    del tenant
    cursor = db.cursor()
    async with cursor.copy(
        "COPY sample_chunk (tenant_id, point_id, first, last, count, times, values, qualities,"
        " reasons, texts) FROM STDIN (FORMAT BINARY)"
    ) as copy:
        await copy.write(data)


async def streams_of(db: Db, tenant: UUID, gateway: UUID) -> list[StreamState]:
    """List what the cloud has of each stream of a gateway, newest epoch last seen first."""
    rows = await db.execute(
        """
        SELECT stream, epoch, received::text, lost::text, samples
        FROM stream WHERE tenant_id = %s AND gateway_id = %s
        ORDER BY stream, epoch
        """,
        (tenant, gateway),
    )
    return [
        StreamState(stream=stream, epoch=epoch, received=received, lost=lost, samples=samples)
        async for stream, epoch, received, lost, samples in rows
    ]


async def point_facts(db: Db, tenant: UUID, point: int) -> PointFacts | None:
    """Find where a point belongs and when its gateway was last in contact."""
    rows = await db.execute(
        """
        SELECT gateway.id, device.name, gateway.last_contact_at
        FROM point
        JOIN device ON device.tenant_id = point.tenant_id AND device.id = point.device_id
        JOIN gateway ON gateway.tenant_id = point.tenant_id AND gateway.id = point.gateway_id
        WHERE point.tenant_id = %s AND point.id = %s
        """,
        (tenant, point),
    )
    row = await rows.fetchone()
    return None if row is None else PointFacts(*row)


async def chunks_between(
    db: Db, tenant: UUID, point: int, start: datetime, end: datetime
) -> list[Chunk]:
    """Read the chunks of a point that may hold samples of [start, end), in no order.

    Arrays stay as PostgreSQL sent them, for :func:`cloud_api.telemetry.arrays.items_of`. Small
    chunks, as a live gateway makes them, come joined into one: a row costs more than its samples.
    """
    cursor = db.cursor(binary=True)
    for oid in ARRAY_OIDS:
        cursor.adapters.register_loader(oid, RawLoader)
    rows = await cursor.execute(
        """
        WITH found AS (
            SELECT count, times, values, qualities FROM sample_chunk
            WHERE tenant_id = %s AND point_id = %s AND first >= %s AND first < %s AND last >= %s
        )
        SELECT count, times, values, qualities FROM found WHERE count >= %s
        UNION ALL
        SELECT count(*)::int, array_agg(item.time), array_agg(item.value),
            array_agg(coalesce(item.quality, 0::smallint))
        FROM found CROSS JOIN LATERAL unnest(times, values, qualities)
            AS item (time, value, quality)
        WHERE count < %s HAVING count(*) > 0
        """,
        (tenant, point, start - CHUNK_SPAN, end, start, SMALL_CHUNK, SMALL_CHUNK),
    )
    return await rows.fetchall()


async def late_spans(
    db: Db, tenant: UUID, gateway: UUID, start: datetime, end: datetime
) -> list[Span]:
    """Find the stretches whose samples came late, neighbours joined."""
    rows = await db.execute(
        """
        SELECT lower(stretch), upper(stretch) FROM (
            SELECT unnest(range_agg(
                tstzrange(first_at, greatest(last_at, first_at) + %(join)s)
            )) AS stretch
            FROM batch
            WHERE tenant_id = %(tenant)s AND gateway_id = %(gateway)s AND late
                AND stream = 'samples' AND last_at >= %(start)s AND first_at < %(end)s
        ) AS found ORDER BY 1 LIMIT %(limit)s
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
    return [Span("backfilled", low, high - JOIN_WITHIN) async for low, high in rows]


async def lost_spans(
    db: Db, tenant: UUID, gateway: UUID, start: datetime, end: datetime
) -> list[Span]:
    """Find when the samples of a gap were read: between the batches before and after it."""
    rows = await db.execute(
        """
        SELECT low, high, reason FROM (
            SELECT
                coalesce((
                    SELECT last_at FROM batch
                    WHERE tenant_id = gap.tenant_id AND gateway_id = gap.gateway_id
                        AND stream = gap.stream AND epoch = gap.epoch AND seq < gap.first
                    ORDER BY seq DESC LIMIT 1), noticed_at) AS low,
                coalesce((
                    SELECT first_at FROM batch
                    WHERE tenant_id = gap.tenant_id AND gateway_id = gap.gateway_id
                        AND stream = gap.stream AND epoch = gap.epoch AND seq > gap.last
                    ORDER BY seq LIMIT 1), noticed_at) AS high,
                reason
            FROM gap
            WHERE tenant_id = %s AND gateway_id = %s AND stream = 'samples'
            ORDER BY noticed_at DESC LIMIT %s
        ) AS found WHERE high >= %s AND low < %s ORDER BY low
        """,
        (tenant, gateway, MAX_SPANS, start, end),
    )
    return [Span("lost", low, max(low, high), reason) async for low, high, reason in rows]


async def silence_of_device(
    db: Db, tenant: UUID, gateway: UUID, device: str, end: datetime
) -> list[tuple[str, datetime, str]]:
    """List the newest times before ``end`` when a device fell silent or came back, in order."""
    rows = await db.execute(
        """
        SELECT kind, time, coalesce(body ->> 'reason', '') FROM gateway_event
        WHERE tenant_id = %s AND gateway_id = %s AND kind IN ('device.silent', 'device.back')
            AND time < %s AND body ->> 'device' = %s
        ORDER BY time DESC LIMIT %s
        """,
        (tenant, gateway, end, device, 2 * MAX_SPANS),
    )
    return list(reversed(await rows.fetchall()))


async def latest_of_points(db: Db, tenant: UUID, points: Sequence[int]) -> dict[int, Latest]:
    """Give the newest sample of each of these points; a point without one is left out."""
    rows = await db.execute(
        """
        SELECT point_id, time, value, text, quality, reason, good_at, good_value, good_text
        FROM latest WHERE tenant_id = %s AND point_id = ANY(%s)
        """,
        (tenant, list(points)),
    )
    return {row[0]: Latest(*row[1:]) async for row in rows}


async def health_counts(
    db: Db, tenant: UUID, gateways: Sequence[UUID] | None
) -> list[tuple[UUID, UUID, Health]]:
    """Count the declared points by health: gateway, device, counts. None asks for all gateways."""
    rows = await db.execute(
        """
        SELECT gateway_id, device_id, count(*),
            count(*) FILTER (WHERE NOT stale AND quality = 0),
            count(*) FILTER (WHERE NOT stale AND quality = 1),
            count(*) FILTER (WHERE NOT stale AND quality = 2),
            count(*) FILTER (WHERE stale),
            count(*) FILTER (WHERE quality IS NULL),
            max(good_at)
        FROM (
            SELECT point.gateway_id, point.device_id, latest.quality, latest.good_at,
                now() - latest.time
                > make_interval(secs => point.max_silence_s + 3 * point.interval_s + %(slack)s)
                AS stale
            FROM point LEFT JOIN latest
                ON latest.tenant_id = point.tenant_id AND latest.point_id = point.id
            WHERE point.tenant_id = %(tenant)s AND point.declared_at IS NOT NULL
                AND (%(gateways)s::uuid[] IS NULL OR point.gateway_id = ANY(%(gateways)s::uuid[]))
        ) AS judged
        GROUP BY gateway_id, device_id
        """,
        {
            "tenant": tenant,
            "gateways": None if gateways is None else list(gateways),
            "slack": STALE_SLACK_S,
        },
    )
    return [(gateway, device, Health(*counts)) async for gateway, device, *counts in rows]
