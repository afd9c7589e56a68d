"""The chore that puts samples where they belong once their gateway's clock is known.

A gateway that starts without a battery clock gives times of 1970 until NTP reaches it. Its event
``clock.synchronised`` may come before, between or after those samples, so it is only noted; what is
in doubt and covered by a note is moved here, in small transactions, each sample once: taking it away
and putting it back is one statement.
"""

import asyncio
import logging
from uuid import UUID

import psycopg

from cloud_api.access import doors
from cloud_api.db.session import Database
from cloud_api.telemetry.clocks import queries
from cloud_api.telemetry.merging import queries as merging

log = logging.getLogger(__name__)

FIRST_AFTER_S = 5.0
EVERY_S = 5.0
MAX_STEPS = 100
"""Transactions for one tenant before it is the next one's turn."""


async def keep_repairing(database: Database) -> None:
    """Repair what can be, now and then for ever."""
    await asyncio.sleep(FIRST_AFTER_S)
    while True:
        try:
            async with database.door() as db:
                tenants = await doors.tenant_ids(db)
            for tenant in tenants:
                await repair_tenant(database, tenant)
        except psycopg.Error as exc:
            log.warning("times could not be repaired", extra={"reason": str(exc)[:500]})
        await asyncio.sleep(EVERY_S)


async def repair_tenant(database: Database, tenant: UUID) -> int:
    """Repair what can be of one tenant; gives how many samples were moved."""
    moved = 0
    for _ in range(MAX_STEPS):
        some = await repair_some(database, tenant)
        if not some:
            break
        moved += some
    return moved


async def repair_some(database: Database, tenant: UUID) -> int:
    """Repair some, in one transaction; 0 when there is nothing to do here."""
    async with database.transaction(tenant) as db:
        if not await merging.hold(db, tenant):
            return 0
        await queries.repair_batches(db, tenant)
        hours = await queries.doubtful_hours(db, tenant)
        return await queries.repair_samples(db, tenant, hours) if hours else 0
