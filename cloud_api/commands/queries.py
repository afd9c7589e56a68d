"""SQL of commands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cloud_api.commands.schemas import Command
from cloud_api.commands.states import State, Step, sources, target
from cloud_api.db.session import Db

MAX_WAITING = 100
"""Commands of one gateway that were not acknowledged yet."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command as somebody issues it."""

    id: UUID
    gateway: UUID
    name: str
    issued_by: str
    issued_at: datetime
    not_after: datetime
    idempotency_key: str
    request_sha256: bytes


async def gateway_exists(db: Db, tenant: UUID, gateway: UUID) -> bool:
    """Tell whether the tenant has this gateway."""
    rows = await db.execute(
        "SELECT 1 FROM gateway WHERE tenant_id = %s AND id = %s", (tenant, gateway)
    )
    return await rows.fetchone() is not None


async def count_waiting(db: Db, tenant: UUID, gateway: UUID) -> int:
    """Count the commands of a gateway that were not acknowledged yet."""
    rows = await db.execute(
        "SELECT count(*) FROM command WHERE tenant_id = %s AND gateway_id = %s"
        " AND state IN ('queued', 'sent')",
        (tenant, gateway),
    )
    row = await rows.fetchone()
    return 0 if row is None else int(row[0])


async def add_command(db: Db, tenant: UUID, order: Order) -> bool:
    """Queue a command; False when its idempotency key was used before."""
    rows = await db.execute(
        """
        INSERT INTO command (tenant_id, id, gateway_id, name, state, issued_by, issued_at,
            not_after, idempotency_key, request_sha256)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, gateway_id, idempotency_key) DO NOTHING
        """,
        (
            tenant,
            order.id,
            order.gateway,
            order.name,
            State.QUEUED,
            order.issued_by,
            order.issued_at,
            order.not_after,
            order.idempotency_key,
            order.request_sha256,
        ),
    )
    return rows.rowcount == 1


async def find_by_key(
    db: Db, tenant: UUID, gateway: UUID, key: str
) -> tuple[Command, bytes] | None:
    """Find the command that an idempotency key made, and the hash of its request."""
    rows = await db.execute(
        """
        SELECT id, name, state, reason, issued_by, issued_at, not_after, sent_at, acknowledged_at,
            ended_at, request_sha256
        FROM command WHERE tenant_id = %s AND gateway_id = %s AND idempotency_key = %s
        """,
        (tenant, gateway, key),
    )
    row = await rows.fetchone()
    return None if row is None else (_command(row[:-1]), row[-1])


async def find_command(db: Db, tenant: UUID, command: UUID) -> tuple[UUID, Command] | None:
    """Give a command with its gateway."""
    rows = await db.execute(
        """
        SELECT gateway_id, id, name, state, reason, issued_by, issued_at, not_after, sent_at,
            acknowledged_at, ended_at
        FROM command WHERE tenant_id = %s AND id = %s
        """,
        (tenant, command),
    )
    row = await rows.fetchone()
    return None if row is None else (row[0], _command(row[1:]))


async def list_commands(db: Db, tenant: UUID, gateway: UUID, limit: int) -> list[Command]:
    """List the newest commands of a gateway, newest first."""
    rows = await db.execute(
        """
        SELECT id, name, state, reason, issued_by, issued_at, not_after, sent_at, acknowledged_at,
            ended_at
        FROM command WHERE tenant_id = %s AND gateway_id = %s
        ORDER BY issued_at DESC, id LIMIT %s
        """,
        (tenant, gateway, limit),
    )
    return [_command(row) async for row in rows]


async def unacknowledged(db: Db, tenant: UUID, gateway: UUID, now: datetime) -> list[Command]:
    """List what a gateway still has to store, oldest first."""
    rows = await db.execute(
        """
        SELECT id, name, state, reason, issued_by, issued_at, not_after, sent_at, acknowledged_at,
            ended_at
        FROM command
        WHERE tenant_id = %s AND gateway_id = %s AND state IN ('queued', 'sent') AND not_after > %s
        ORDER BY issued_at, id LIMIT %s
        """,
        (tenant, gateway, now, MAX_WAITING),
    )
    return [_command(row) async for row in rows]


async def advance(
    db: Db,
    tenant: UUID,
    gateway: UUID,
    command: UUID,
    *,
    step: Step,
    now: datetime,
    reason: str = "",
) -> bool:
    """Take a step with a command of this gateway; tells whether that changed anything."""
    rows = await db.execute(
        """
        UPDATE command SET
            state = %(target)s,
            reason = left(%(reason)s, 500),
            sent_at = CASE WHEN %(step)s = 'send' THEN %(now)s ELSE sent_at END,
            acknowledged_at = CASE WHEN %(step)s = 'acknowledge' THEN %(now)s
                ELSE acknowledged_at END,
            ended_at = CASE WHEN %(step)s IN ('send', 'acknowledge') THEN NULL ELSE %(now)s END
        WHERE tenant_id = %(tenant)s AND gateway_id = %(gateway)s AND id = %(command)s
            AND state = ANY(%(sources)s)
        """,
        {
            "target": target(step),
            "reason": reason,
            "step": step,
            "now": now,
            "tenant": tenant,
            "gateway": gateway,
            "command": command,
            "sources": sources(step),
        },
    )
    return rows.rowcount == 1


async def lapse(db: Db, tenant: UUID, gateway: UUID, now: datetime) -> list[UUID]:
    """Expire the commands of a gateway whose time ran out; gives them."""
    rows = await db.execute(
        """
        UPDATE command SET state = %s, ended_at = not_after, reason = 'the gateway did not take it in time'
        WHERE tenant_id = %s AND gateway_id = %s AND not_after <= %s AND state = ANY(%s)
        RETURNING id
        """,
        (target(Step.LAPSE), tenant, gateway, now, sources(Step.LAPSE)),
    )
    return [row[0] async for row in rows]


def _command(row: tuple[Any, ...]) -> Command:
    return Command(
        id=str(row[0]),
        name=row[1],
        state=row[2],
        reason=row[3],
        issued_by=row[4],
        issued_at=row[5],
        not_after=row[6],
        sent_at=row[7],
        acknowledged_at=row[8],
        ended_at=row[9],
    )
