"""SQL of the merge: what is due, what lies there, and the one function that joins."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from cloud_api.db.session import Db
from cloud_api.telemetry.merging.plan import SMALL_CHUNKS, Join, Piece

ADVISORY_LOCK = 7_411_320
"""One process merges at a time; any number will do that no other chore has."""
SETTLE = timedelta(seconds=60)
"""An hour is over when it ended this long ago and nothing of it has come for as long."""
MAX_HOURS = 200
MAX_PIECES = 20_000
"""Read in one transaction; the rest is due again."""

PointHour = tuple[int, datetime, int, str | None]
"""A point, an hour, and what all chunks to be joined say of their clock: verdict and boot."""


async def hold(db: Db, tenant: UUID) -> bool:
    """Be the one that merges until the transaction ends; False when another is."""
    del tenant
    row = await (
        await db.execute("SELECT pg_try_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
    ).fetchone()
    return row is not None and bool(row[0])


async def due(db: Db, tenant: UUID, now: datetime) -> dict[PointHour, bool]:
    """Find some hours of points that are to be joined, and whether each hour is over."""
    rows = await db.execute(
        """
        SELECT point_id, hour, clock, boot,
            hour < %(settled)s - interval '1 hour' AND arrived < %(settled)s
        FROM (
            SELECT point_id, date_trunc('hour', first, 'UTC') AS hour, clock, boot,
                count(*) FILTER (WHERE tier = 0) AS small, max(ingested_at) AS arrived
            FROM sample_chunk WHERE tenant_id = %(tenant)s AND tier < 2
            GROUP BY 1, 2, 3, 4
        ) AS loose
        WHERE small >= %(small)s
            OR hour < %(settled)s - interval '1 hour' AND arrived < %(settled)s
        LIMIT %(limit)s
        """,
        {"tenant": tenant, "settled": now - SETTLE, "small": SMALL_CHUNKS, "limit": MAX_HOURS},
    )
    return {(point, hour, clock, boot): over async for point, hour, clock, boot, over in rows}


async def pieces(db: Db, tenant: UUID, hours: Sequence[PointHour]) -> dict[PointHour, list[Piece]]:
    """Read the sizes of all chunks of these hours of points."""
    rows = await db.execute(
        """
        SELECT wanted.point, wanted.hour, chunk.clock, chunk.boot, first, count,
            count + coalesce(pg_column_size(texts), 0) / 16, tier
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::smallint[], %s::text[])
            AS wanted (point, hour, clock, boot)
        JOIN sample_chunk AS chunk ON point_id = wanted.point
            AND first >= wanted.hour AND first < wanted.hour + interval '1 hour'
            AND chunk.clock = wanted.clock AND chunk.boot IS NOT DISTINCT FROM wanted.boot
        WHERE tenant_id = %s ORDER BY 1, 2, 3, 4, 5 LIMIT %s
        """,
        (*(list(column) for column in zip(*hours, strict=True)), tenant, MAX_PIECES),
    )
    return {
        hour: [Piece(*row[4:]) for row in found]
        for hour, found in groupby(await rows.fetchall(), key=lambda row: row[:4])
    }


async def join(db: Db, tenant: UUID, joins: Sequence[tuple[PointHour, Join]]) -> None:
    """Replace chunks of points by joined ones.

    The tenant is that of the transaction; the function works under its policies.
    """
    del tenant
    await db.cursor().executemany(
        "SELECT join_chunks(%s, %s, %s, %s::smallint, %s, %s::smallint, %s)",
        [
            (point, one.low, one.high, one.tier, one.largest, clock, boot)
            for (point, _, clock, boot), one in joins
        ],
    )
