"""A partition for each day of samples, made ahead.

The statement belongs to no tenant: it calls a function of the database's owner that takes and gives
nothing (``db/migrations/0002_pre_telemetry.sql``).
"""

import asyncio
import logging

import psycopg

from cloud_api.db.session import Database

log = logging.getLogger(__name__)

EVERY_S = 6 * 3600.0
AGAIN_S = 60.0
"""After a failure: a long query held the table, or the server was away."""


async def keep_partitions(database: Database) -> None:
    """Make the partitions of the next days, now and then for ever."""
    while True:
        try:
            async with database.door() as db:
                await db.execute("SELECT keep_sample_partitions()")
        except psycopg.OperationalError as exc:
            log.warning("partitions could not be made", extra={"reason": str(exc)})
            await asyncio.sleep(AGAIN_S)
        else:
            await asyncio.sleep(EVERY_S)
