"""SQL of tenants, people and memberships."""

from uuid import UUID

from cloud_api.db.session import Db


async def add_tenant(db: Db, tenant: UUID, name: str) -> None:
    """Add a tenant, in a transaction of its own number."""
    await db.execute("INSERT INTO tenant (tenant_id, name) VALUES (%s, %s)", (tenant, name))


async def read_tenant_name(db: Db, tenant: UUID) -> str | None:
    """Read the name of a tenant."""
    found = await db.execute("SELECT name FROM tenant WHERE tenant_id = %s", (tenant,))
    row = await found.fetchone()
    return row[0] if row else None


async def add_person(
    db: Db, tenant: UUID, person: UUID, *, email: str, name: str, role: str
) -> bool:
    """Add a person with a role; False if the tenant knows the address already."""
    found = await db.execute(
        """
        INSERT INTO person (id, tenant_id, email, name) VALUES (%s, %s, %s, %s)
        ON CONFLICT (tenant_id, email) DO NOTHING
        """,
        (person, tenant, email, name),
    )
    if found.rowcount == 0:
        return False
    await db.execute(
        "INSERT INTO membership (tenant_id, person_id, role) VALUES (%s, %s, %s)",
        (tenant, person, role),
    )
    return True


async def find_person(db: Db, tenant: UUID, email: str) -> UUID | None:
    """Find a person by address."""
    found = await db.execute(
        "SELECT id FROM person WHERE tenant_id = %s AND email = %s", (tenant, email)
    )
    row = await found.fetchone()
    return row[0] if row else None


async def set_password(db: Db, tenant: UUID, person: UUID, password: str) -> None:
    """Store a password's hash."""
    await db.execute(
        "UPDATE person SET password = %s WHERE tenant_id = %s AND id = %s",
        (password, tenant, person),
    )
