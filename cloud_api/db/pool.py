"""From the owner's connection string to the two pools that the cloud works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from cloud_api.db.roles import APP, INGEST, role_password
from cloud_api.db.session import Database, Db, Pool

STATEMENT_LIMIT_MS = 15_000
IDLE_IN_TRANSACTION_LIMIT_MS = 30_000
CONNECT_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """Connections at most; the embedded server has 40."""

    app: int = 10
    ingest: int = 4


@asynccontextmanager
async def open_database(dsn: str, sizes: PoolSizes = PoolSizes()) -> AsyncIterator[Database]:
    """Open the pools; ``dsn`` is the owner's, and the schema must be up to date.

    The runtime never connects as the owner: names and passwords of its roles follow from ``dsn``.
    """
    async with (
        _pool(role_dsn(dsn, APP), "app", sizes.app) as app,
        _pool(role_dsn(dsn, INGEST), "ingest", sizes.ingest) as ingest,
    ):
        yield Database(app, ingest)


def role_dsn(dsn: str, role: str) -> str:
    """Give the connection string of a runtime role of the same database."""
    return make_conninfo(
        dsn,
        user=role,
        password=role_password(dsn, role),
        application_name=f"tidegate-{role}",
        options=(
            f"-c search_path=tidegate -c statement_timeout={STATEMENT_LIMIT_MS}"
            f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_LIMIT_MS}"
            " -c timezone=UTC"
        ),
    )


@asynccontextmanager
async def _pool(dsn: str, name: str, size: int) -> AsyncIterator[Pool]:
    pool: Pool = AsyncConnectionPool[Db](
        dsn,
        connection_class=AsyncConnection[TupleRow],
        name=name,
        min_size=1,
        max_size=size,
        timeout=CONNECT_LIMIT_S,
        open=False,
    )
    await pool.open(wait=True, timeout=CONNECT_LIMIT_S)
    try:
        yield pool
    finally:
        await pool.close(timeout=2)
