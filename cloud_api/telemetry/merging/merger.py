"""The chore: from tenant to tenant, in small transactions, one process at a time.

Killed at any moment it loses nothing: a transaction either replaced its chunks or did not.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from cloud_api.access import doors
from cloud_api.db.session import Database
from cloud_api.telemetry.merging import queries
from cloud_api.telemetry.merging.plan import Join, plan_joins

log = logging.getLogger(__name__)

FIRST_AFTER_S = 20.0
"""A cloud that starts has better things to do."""
EVERY_S = 60.0
MAX_STEPS = 100
"""Transactions for one tenant before it is the next one's turn."""
MAX_WEIGHT_A_STEP = 200_000
"""Samples that one transaction writes again, about."""


async def keep_merging(database: Database) -> None:
    """Join what is due, now and then for ever."""
    await asyncio.sleep(FIRST_AFTER_S)
    while True:
        if not await _round(database):
            await asyncio.sleep(EVERY_S)


async def merge_tenant(database: Database, tenant: UUID, now: datetime) -> bool:
    """Join what is due of one tenant; tells whether more is left.

    Between transactions it rests for as long as one took, so that ingest and charts have the
    database for themselves at least half of the time.
    """
    for _ in range(MAX_STEPS):
        began = time.monotonic()
        if not await merge_some(database, tenant, now):
            return False
        await asyncio.sleep(time.monotonic() - began)
    return True


async def merge_some(database: Database, tenant: UUID, now: datetime) -> bool:
    """Join some of what is due, in one transaction; False when there is nothing to do here."""
    async with database.transaction(tenant) as db:
        if not await queries.hold(db, tenant):
            return False
        hours = await queries.due(db, tenant, now)
        if not hours:
            return False
        found = await queries.pieces(db, tenant, list(hours))
        joins = [
            (hour, join)
            for hour, pieces in found.items()
            for join in plan_joins(pieces, over=hours[hour])
        ]
        await queries.join(db, tenant, _first_of(joins))
    return True


def _first_of(
    joins: list[tuple[queries.PointHour, Join]],
) -> list[tuple[queries.PointHour, Join]]:
    """Take as many as one transaction should do, at least one."""
    weight = 0
    for number, (_, join) in enumerate(joins):
        weight += join.weight
        if number and weight > MAX_WEIGHT_A_STEP:
            return joins[:number]
    return joins


async def _round(database: Database) -> bool:
    """Go through all tenants; tells whether one has more left."""
    left = False
    try:
        async with database.door() as db:
            tenants = await doors.tenant_ids(db)
        for tenant in tenants:
            left |= await merge_tenant(database, tenant, datetime.now(UTC))
    except psycopg.Error as exc:
        log.warning("chunks could not be joined", extra={"reason": str(exc)[:500]})
        return False
    return left
