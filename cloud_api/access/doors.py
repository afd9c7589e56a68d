"""From a credential to its tenant: the only statements that run without one.

Each calls a function of the database that gives a tenant's number and nothing else; why that is
safe is argued beside them, in ``db/migrations/0001_pre_core.sql``.
"""

from typing import LiteralString
from uuid import UUID

from cloud_api.db.session import Db


async def tenant_of_session(db: Db, secret: bytes) -> UUID | None:
    """Find the tenant of a session by the hash of its token."""
    return await _tenant(db, "SELECT tenant_of_session(%s)", secret)


async def tenant_of_sign_in_link(db: Db, secret: bytes) -> UUID | None:
    """Find the tenant of a sign-in link by the hash of its token."""
    return await _tenant(db, "SELECT tenant_of_sign_in_link(%s)", secret)


async def tenant_of_claim(db: Db, secret: bytes) -> UUID | None:
    """Find the tenant of a claim by the hash of its secret."""
    return await _tenant(db, "SELECT tenant_of_claim(%s)", secret)


async def tenant_of_gateway(db: Db, gateway: UUID) -> UUID | None:
    """Find the tenant of a gateway that shows an assertion, not yet checked."""
    return await _tenant(db, "SELECT tenant_of_gateway(%s)", gateway)


async def tenants_of_email(db: Db, email: str) -> list[UUID]:
    """Find the tenants that know this e-mail address."""
    found = await db.execute("SELECT tenants_of_email(%s)", (email,))
    return [row[0] for row in await found.fetchall()]


async def tenant_ids(db: Db) -> list[UUID]:
    """List all tenants by number, for chores that go from one to the next."""
    found = await db.execute("SELECT tenant_ids()")
    return [row[0] for row in await found.fetchall()]


async def _tenant(db: Db, statement: LiteralString, key: bytes | UUID) -> UUID | None:
    row = await (await db.execute(statement, (key,))).fetchone()
    return row[0] if row else None
