"""SQL of alerts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from cloud_api.alerts.schemas import Alert, AlertPoint
from cloud_api.db.session import Db
from cloud_api.registry.schemas import Named
from cloud_sync.wire.events import AlertCleared, AlertRaised


@dataclass(frozen=True, slots=True)
class Filter:
    """Which alerts are asked for; None asks for all."""

    active_only: bool = False
    gateway: UUID | None = None
    device: UUID | None = None
    since: datetime | None = None
    before: tuple[datetime, str] | None = None
    """Time and id of the last alert of the page before."""
    id: str | None = None


async def raise_alert(
    db: Db, tenant: UUID, gateway: UUID, alert: AlertRaised, at: datetime
) -> bool:
    """Store a raised alert, also when its clearing was here first; tells whether that is new."""
    rows = await db.execute(
        """
        INSERT INTO alert AS old (
            tenant_id, id, gateway_id, rule, point_key, priority, message, raised_at, value)
        VALUES (%s, %s, %s, %s, %s, %s, left(%s, 1000), %s, %s)
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            priority = excluded.priority, message = excluded.message,
            raised_at = excluded.raised_at, value = excluded.value
        WHERE old.raised_at IS NULL AND old.gateway_id = excluded.gateway_id
        """,
        (
            tenant,
            alert.alert,
            gateway,
            alert.rule,
            alert.point,
            alert.priority,
            alert.message,
            at,
            Jsonb(alert.value),
        ),
    )
    return rows.rowcount == 1


async def clear_alert(
    db: Db, tenant: UUID, gateway: UUID, alert: AlertCleared, at: datetime
) -> bool:
    """Note that an alert of this gateway is over; tells whether that is new and can be shown."""
    rows = await db.execute(
        """
        INSERT INTO alert AS old (
            tenant_id, id, gateway_id, rule, point_key, priority, message, cleared_at, clear_value)
        VALUES (%s, %s, %s, %s, %s, 'low', '', %s, %s)
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            cleared_at = excluded.cleared_at, clear_value = excluded.clear_value
        WHERE old.cleared_at IS NULL AND old.gateway_id = excluded.gateway_id
        RETURNING raised_at IS NOT NULL
        """,
        (tenant, alert.alert, gateway, alert.rule, alert.point, at, Jsonb(alert.value)),
    )
    return bool(await rows.fetchone() == (True,))


async def list_alerts(db: Db, tenant: UUID, wanted: Filter, limit: int) -> list[Alert]:
    """List alerts, newest first, with the names of what they are about."""
    before_at, before_id = wanted.before or (None, None)
    rows = await db.execute(
        """
        SELECT alert.id, alert.rule, alert.message, alert.priority, alert.raised_at,
            alert.cleared_at, alert.value, alert.clear_value,
            point.id, point.name, alert.point_key, point.unit,
            device.id, device.name, gateway.id, gateway.name, site.id, site.name
        FROM alert
        JOIN gateway ON gateway.tenant_id = alert.tenant_id AND gateway.id = alert.gateway_id
        JOIN site ON site.tenant_id = gateway.tenant_id AND site.id = gateway.site_id
        LEFT JOIN point ON point.tenant_id = alert.tenant_id
            AND point.gateway_id = alert.gateway_id AND point.key = alert.point_key
        LEFT JOIN device ON device.tenant_id = point.tenant_id AND device.id = point.device_id
        WHERE alert.tenant_id = %(tenant)s AND alert.raised_at IS NOT NULL
            AND (NOT %(active)s OR alert.cleared_at IS NULL)
            AND (%(id)s::text IS NULL OR alert.id = %(id)s)
            AND (%(gateway)s::uuid IS NULL OR alert.gateway_id = %(gateway)s)
            AND (%(device)s::uuid IS NULL OR device.id = %(device)s)
            AND (%(since)s::timestamptz IS NULL OR alert.raised_at >= %(since)s
                OR alert.cleared_at >= %(since)s OR alert.cleared_at IS NULL)
            AND (%(before_at)s::timestamptz IS NULL
                OR (alert.raised_at, alert.id) < (%(before_at)s, %(before_id)s))
        ORDER BY alert.raised_at DESC, alert.id DESC
        LIMIT %(limit)s
        """,
        {
            "tenant": tenant,
            "active": wanted.active_only,
            "id": wanted.id,
            "gateway": wanted.gateway,
            "device": wanted.device,
            "since": wanted.since,
            "before_at": before_at,
            "before_id": before_id,
            "limit": limit,
        },
    )
    return [_alert(row) async for row in rows]


async def count_active(db: Db, tenant: UUID) -> dict[UUID, int]:
    """Count the raised alerts of each gateway; gateways without one are left out."""
    rows = await db.execute(
        """
        SELECT gateway_id, count(*) FROM alert
        WHERE tenant_id = %s AND cleared_at IS NULL AND raised_at IS NOT NULL
        GROUP BY gateway_id
        """,
        (tenant,),
    )
    return dict(await rows.fetchall())


def _alert(row: tuple[Any, ...]) -> Alert:
    point, device = row[8:12], row[12:14]
    return Alert(
        id=row[0],
        rule=row[1],
        message=row[2],
        priority=row[3],
        state="raised" if row[5] is None else "cleared",
        raised_at=row[4],
        cleared_at=row[5],
        value=row[6],
        clear_value=row[7],
        point=None
        if point[0] is None
        else AlertPoint(id=str(point[0]), name=point[1], key=point[2], unit=point[3]),
        device=None if device[0] is None else Named(id=str(device[0]), name=device[1]),
        gateway=Named(id=str(row[14]), name=row[15]),
        site=Named(id=str(row[16]), name=row[17]),
    )
