"""Transactions that belong to one tenant, and the two pools they come from.

Every statement of the cloud runs inside one of three transactions:

- ``database.transaction(tenant)``: role ``tidegate_app``, rows of that tenant only.
- ``database.ingest(tenant)``: the same, on a connection of ``tidegate_ingest``. Inside it,
  ``async with copying(db)`` is the one place where row-level security is off, because PostgreSQL
  refuses COPY under it; the role can do nothing there but insert into the history.
- ``database.door()``: role ``tidegate_app`` without a tenant. Reading any table fails; what works
  are the functions that find the tenant of a credential (``migrations/0001_pre_core.sql``).

The tenant is set with SET LOCAL semantics: it ends with the transaction, whoever gets the
connection next.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Db = AsyncConnection[TupleRow]
"""A connection inside a transaction: what every function of a ``queries.py`` takes first."""
Pool = AsyncConnectionPool[Db]

_SET_TENANT = "SELECT tidegate.set_tenant(%s)"
_SET_TENANT_AND_BE_APP = "SELECT tidegate.set_tenant(%s), set_config('role', 'tidegate_app', true)"
_BE_APP = "SET LOCAL ROLE tidegate_app"
_BE_INGEST = "SET LOCAL ROLE NONE"


@asynccontextmanager
async def transaction(pool: Pool, tenant: UUID) -> AsyncIterator[Db]:
    """Commit at the end, roll back on an error; sees and touches this tenant's rows only."""
    async with pool.connection() as db:
        await _begin(db, _SET_TENANT, tenant)
        yield db


async def _begin(db: Db, statement: LiteralString, tenant: UUID) -> None:
    """Begin a transaction with its first statement in one round trip; the pool ends it."""
    async with db.pipeline():
        await db.execute(statement, (tenant,))


async def adopt(db: Db, tenant: UUID) -> None:
    """Go on in a transaction of ``door()`` as the tenant that was found there."""
    await db.execute(_SET_TENANT, (tenant,))


@asynccontextmanager
async def copying(db: Db) -> AsyncIterator[Db]:
    """Within an ingest transaction: be the ingest role, for COPY into the history and no more.

    What is copied must carry the tenant that the transaction was opened for.
    """
    await db.execute(_BE_INGEST)
    yield db
    await db.execute(_BE_APP)


@dataclass(frozen=True, slots=True)
class Database:
    """The pools of a running cloud."""

    app: Pool
    ingest_pool: Pool

    def transaction(self, tenant: UUID) -> AbstractAsyncContextManager[Db]:
        """Open a transaction for people, chores and everything but ingest."""
        return transaction(self.app, tenant)

    @asynccontextmanager
    async def ingest(self, tenant: UUID) -> AsyncIterator[Db]:
        """Open a transaction that may also copy into the history."""
        async with self.ingest_pool.connection() as db:
            await _begin(db, _SET_TENANT_AND_BE_APP, tenant)
            yield db

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Db]:
        """Open a transaction that has no tenant yet, to find it by a credential."""
        async with self.app.connection() as db, db.transaction():
            yield db
