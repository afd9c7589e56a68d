"""SQL of sites, gateways, devices and points."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cloud_api.db.session import Db
from cloud_api.registry.rows import Device, Gateway, Point, Site
from cloud_api.registry.states import SILENT_AFTER
from cloud_sync.wire.events import DeviceDeclared, PointDeclared
from cloud_sync.wire.uplink import Backlog

MAX_OUTAGES = 10_000
"""Of one gateway: at one a day for 27 years, at the quickest possible for two days."""


async def touch_gateway(
    db: Db,
    tenant: UUID,
    gateway: UUID,
    backlog: Backlog,
    oldest_at: datetime | None,
    *,
    version: str,
    now: datetime,
) -> None:
    """Note a contact and what still waits on the gateway; after a silence also the outage.

    An outage of the same start is noted once. The oldest are forgotten, past ``MAX_OUTAGES``.
    """
    await db.execute(
        """
        WITH before AS (
            SELECT last_contact_at FROM gateway WHERE tenant_id = %(tenant)s AND id = %(gateway)s
            FOR NO KEY UPDATE
        ), noted AS (
            INSERT INTO outage (tenant_id, gateway_id, began_at, ended_at)
            SELECT %(tenant)s, %(gateway)s, last_contact_at, %(now)s
            FROM before WHERE %(now)s - last_contact_at > %(silent)s
            ON CONFLICT DO NOTHING RETURNING began_at
        ), forgotten AS (
            DELETE FROM outage USING noted
            WHERE tenant_id = %(tenant)s AND gateway_id = %(gateway)s AND outage.began_at <= (
                SELECT began_at FROM outage
                WHERE tenant_id = %(tenant)s AND gateway_id = %(gateway)s
                ORDER BY began_at DESC OFFSET %(most)s - 1 LIMIT 1)
        )
        UPDATE gateway SET last_contact_at = %(now)s, backlog_batches = %(batches)s,
            backlog_samples = %(samples)s, backlog_oldest_at = %(oldest)s, version = %(version)s
        FROM before WHERE tenant_id = %(tenant)s AND id = %(gateway)s
        """,
        {
            "tenant": tenant,
            "gateway": gateway,
            "now": now,
            "batches": backlog.batches,
            "samples": backlog.samples,
            "oldest": oldest_at,
            "version": version,
            "silent": SILENT_AFTER,
            "most": MAX_OUTAGES,
        },
    )


async def outages(
    db: Db, tenant: UUID, gateway: UUID, start: datetime, end: datetime, *, limit: int
) -> list[tuple[datetime, datetime]]:
    """List the newest past outages that overlap [start, end), in no order."""
    found = await db.execute(
        """
        SELECT began_at, ended_at FROM outage
        WHERE tenant_id = %s AND gateway_id = %s AND ended_at >= %s AND began_at < %s
        ORDER BY began_at DESC LIMIT %s
        """,
        (tenant, gateway, start, end, limit),
    )
    return await found.fetchall()


async def upsert_devices(
    db: Db, tenant: UUID, gateway: UUID, devices: Sequence[DeviceDeclared], now: datetime
) -> dict[str, UUID]:
    """Store declared devices; give their numbers by name."""
    found = await db.execute(
        """
        INSERT INTO device (id, tenant_id, gateway_id, name, protocol, address, profile, vendor,
                            model, description, declared_at)
        SELECT id, %(tenant)s, %(gateway)s, name, protocol, address, profile, vendor, model,
               description, %(now)s
        FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(protocols)s::text[], %(addresses)s::text[],
                    %(profiles)s::text[], %(vendors)s::text[], %(models)s::text[],
                    %(descriptions)s::text[])
             AS d (id, name, protocol, address, profile, vendor, model, description)
        ON CONFLICT (tenant_id, gateway_id, name) DO UPDATE SET
            protocol = excluded.protocol, address = excluded.address, profile = excluded.profile,
            vendor = excluded.vendor, model = excluded.model,
            description = excluded.description, declared_at = excluded.declared_at
        RETURNING name, id
        """,
        {
            "tenant": tenant,
            "gateway": gateway,
            "now": now,
            "ids": [uuid4() for _ in devices],
            "names": [device.name for device in devices],
            "protocols": [device.protocol for device in devices],
            "addresses": [device.address for device in devices],
            "profiles": [device.profile for device in devices],
            "vendors": [device.vendor for device in devices],
            "models": [device.model for device in devices],
            "descriptions": [device.description for device in devices],
        },
    )
    return dict(await found.fetchall())


async def upsert_points(
    db: Db,
    tenant: UUID,
    gateway: UUID,
    points: Sequence[tuple[UUID, str, PointDeclared]],
    now: datetime,
) -> None:
    """Store declared points: device, key and declaration of each."""
    await db.execute(
        """
        INSERT INTO point (tenant_id, gateway_id, device_id, key, name, kind, unit, description,
                           labels, decimals, interval_s, max_silence_s, declared_at)
        SELECT %(tenant)s, %(gateway)s, p.*, %(now)s
        FROM unnest(%(devices)s::uuid[], %(keys)s::text[], %(names)s::text[], %(kinds)s::text[],
                    %(units)s::text[], %(descriptions)s::text[], %(labels)s::jsonb[],
                    %(decimals)s::smallint[], %(intervals)s::float8[], %(silences)s::float8[]) AS p
        ON CONFLICT (tenant_id, gateway_id, key) DO UPDATE SET
            device_id = excluded.device_id, name = excluded.name, kind = excluded.kind,
            unit = excluded.unit, description = excluded.description, labels = excluded.labels,
            decimals = excluded.decimals, interval_s = excluded.interval_s,
            max_silence_s = excluded.max_silence_s, declared_at = excluded.declared_at
        """,
        {
            "tenant": tenant,
            "gateway": gateway,
            "now": now,
            "devices": [device for device, _, _ in points],
            "keys": [key for _, key, _ in points],
            "names": [point.name for _, _, point in points],
            "kinds": [point.kind for _, _, point in points],
            "units": [point.unit for _, _, point in points],
            "descriptions": [point.description for _, _, point in points],
            "labels": [Jsonb(point.labels) for _, _, point in points],
            "decimals": [point.decimals for _, _, point in points],
            "intervals": [point.interval_s for _, _, point in points],
            "silences": [point.max_silence_s for _, _, point in points],
        },
    )


async def retire_undeclared(db: Db, tenant: UUID, gateway: UUID, now: datetime) -> None:
    """Mark what the newest declaration no longer names. Its history stays."""
    await db.execute(
        """
        UPDATE point SET declared_at = NULL
        WHERE tenant_id = %s AND gateway_id = %s AND declared_at < %s
        """,
        (tenant, gateway, now),
    )
    await db.execute(
        """
        UPDATE device SET declared_at = NULL
        WHERE tenant_id = %s AND gateway_id = %s AND declared_at < %s
        """,
        (tenant, gateway, now),
    )


async def point_ids(db: Db, tenant: UUID, gateway: UUID, keys: Sequence[str]) -> dict[str, int]:
    """Find the numbers of points by key; unknown keys are left out."""
    found = await db.execute(
        "SELECT key, id FROM point WHERE tenant_id = %s AND gateway_id = %s AND key = ANY(%s)",
        (tenant, gateway, list(keys)),
    )
    return dict(await found.fetchall())


async def count_points(db: Db, tenant: UUID, gateway: UUID) -> tuple[int, int]:
    """Count devices and points of a gateway."""
    found = await db.execute(
        """
        SELECT (SELECT count(*) FROM device WHERE tenant_id = %(tenant)s AND gateway_id = %(id)s),
               (SELECT count(*) FROM point WHERE tenant_id = %(tenant)s AND gateway_id = %(id)s)
        """,
        {"tenant": tenant, "id": gateway},
    )
    row = await found.fetchone()
    return (row[0], row[1]) if row else (0, 0)


async def add_seen_points(
    db: Db, tenant: UUID, gateway: UUID, names: Mapping[str, tuple[str, str]]
) -> dict[str, int]:
    """Add points that came in samples before any declaration: key → device and point name."""
    devices = sorted({device for device, _ in names.values()})
    await db.execute(
        """
        INSERT INTO device (id, tenant_id, gateway_id, name)
        SELECT id, %s, %s, name FROM unnest(%s::uuid[], %s::text[]) AS d (id, name)
        ON CONFLICT (tenant_id, gateway_id, name) DO NOTHING
        """,
        (tenant, gateway, [uuid4() for _ in devices], devices),
    )
    found = await db.execute(
        """
        INSERT INTO point (tenant_id, gateway_id, device_id, key, name)
        SELECT %(tenant)s, %(gateway)s, device.id, seen.key, seen.name
        FROM unnest(%(keys)s::text[], %(devices)s::text[], %(names)s::text[])
             AS seen (key, device, name)
        JOIN device ON device.tenant_id = %(tenant)s AND device.gateway_id = %(gateway)s
                   AND device.name = seen.device
        ON CONFLICT (tenant_id, gateway_id, key) DO UPDATE SET name = point.name
        RETURNING key, id
        """,
        {
            "tenant": tenant,
            "gateway": gateway,
            "keys": list(names),
            "devices": [device for device, _ in names.values()],
            "names": [name for _, name in names.values()],
        },
    )
    return dict(await found.fetchall())


async def set_silence(
    db: Db, tenant: UUID, gateway: UUID, device: str, *, since: datetime | None, reason: str | None
) -> UUID | None:
    """Note since when and why a device is silent, or that it is back; give its number."""
    found = await db.execute(
        """
        UPDATE device SET silent_since = %s, silent_reason = %s
        WHERE tenant_id = %s AND gateway_id = %s AND name = %s
        RETURNING id
        """,
        (since, reason, tenant, gateway, device),
    )
    row: tuple[Any, ...] | None = await found.fetchone()
    return row[0] if row else None


async def add_site(db: Db, tenant: UUID, site: UUID, name: str, time_zone: str) -> bool:
    """Add a site; False if the tenant has one of this name."""
    found = await db.execute(
        """
        INSERT INTO site (id, tenant_id, name, time_zone) VALUES (%s, %s, %s, %s)
        ON CONFLICT (tenant_id, name) DO NOTHING
        """,
        (site, tenant, name, time_zone),
    )
    return found.rowcount == 1


async def site_name(db: Db, tenant: UUID, site: UUID) -> str | None:
    """Read the name of a site; None if the tenant has none of this number."""
    found = await db.execute(
        "SELECT name FROM site WHERE tenant_id = %s AND id = %s", (tenant, site)
    )
    row = await found.fetchone()
    return row[0] if row else None


async def site_ids(db: Db, tenant: UUID, name: str) -> list[UUID]:
    """Find sites by name or by number written out."""
    found = await db.execute(
        "SELECT id FROM site WHERE tenant_id = %s AND (name = %s OR id::text = %s)",
        (tenant, name, name),
    )
    return [row[0] for row in await found.fetchall()]


async def list_sites(db: Db, tenant: UUID) -> list[Site]:
    """List sites by name."""
    async with db.cursor(row_factory=class_row(Site)) as cursor:
        await cursor.execute(
            "SELECT id, name, time_zone FROM site WHERE tenant_id = %s ORDER BY name", (tenant,)
        )
        return await cursor.fetchall()


async def list_gateways(
    db: Db, tenant: UUID, *, site: UUID | None, gateway: UUID | None
) -> list[Gateway]:
    """List gateways by name: all, those of a site, or one."""
    async with db.cursor(row_factory=class_row(Gateway)) as cursor:
        await cursor.execute(
            """
            SELECT gateway.id, gateway.name, site.id AS site_id, site.name AS site_name,
                   gateway.version, gateway.status, gateway.enrolled_at,
                   gateway.certificate_expires_at, gateway.last_contact_at,
                   gateway.backlog_batches, gateway.backlog_samples, gateway.backlog_oldest_at,
                   (SELECT count(*) FROM device
                    WHERE device.tenant_id = gateway.tenant_id AND device.gateway_id = gateway.id
                      AND device.declared_at IS NOT NULL) AS devices
            FROM gateway
            JOIN site ON site.tenant_id = gateway.tenant_id AND site.id = gateway.site_id
            WHERE gateway.tenant_id = %(tenant)s
              AND (%(site)s::uuid IS NULL OR gateway.site_id = %(site)s)
              AND (%(gateway)s::uuid IS NULL OR gateway.id = %(gateway)s)
            ORDER BY gateway.name
            """,
            {"tenant": tenant, "site": site, "gateway": gateway},
        )
        return await cursor.fetchall()


async def list_devices(
    db: Db, tenant: UUID, *, gateway: UUID | None, device: UUID | None
) -> list[Device]:
    """List the declared devices of a gateway by name, or find one whether declared or not."""
    async with db.cursor(row_factory=class_row(Device)) as cursor:
        await cursor.execute(
            """
            SELECT device.id, device.name, device.protocol, device.address, device.profile,
                   device.vendor, device.model, device.description, device.silent_since,
                   device.silent_reason, gateway.id AS gateway_id, gateway.name AS gateway_name,
                   site.id AS site_id, site.name AS site_name
            FROM device
            JOIN gateway ON gateway.tenant_id = device.tenant_id AND gateway.id = device.gateway_id
            JOIN site ON site.tenant_id = gateway.tenant_id AND site.id = gateway.site_id
            WHERE device.tenant_id = %(tenant)s
              AND (device.id = %(device)s
                   OR device.gateway_id = %(gateway)s AND device.declared_at IS NOT NULL)
            ORDER BY device.name
            """,
            {"tenant": tenant, "gateway": gateway, "device": device},
        )
        return await cursor.fetchall()


async def list_points(
    db: Db, tenant: UUID, *, device: UUID | None, points: list[int] | None
) -> list[Point]:
    """List the declared points of a device, or find some whether declared or not."""
    async with db.cursor(row_factory=class_row(Point)) as cursor:
        await cursor.execute(
            """
            SELECT id, device_id, key, name, kind, unit, description, labels, decimals,
                   interval_s, max_silence_s
            FROM point
            WHERE tenant_id = %(tenant)s
              AND (id = ANY(%(points)s::bigint[])
                   OR device_id = %(device)s AND declared_at IS NOT NULL)
            ORDER BY id
            """,
            {"tenant": tenant, "device": device, "points": points},
        )
        return await cursor.fetchall()
