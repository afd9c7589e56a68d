"""SQL of sessions, sign-in links, claims and the credentials of gateways."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from cloud_api.access.caller import Caller, Role
from cloud_api.db.session import Db

LINK_LIMIT = 20
"""Open sign-in links of one person; the oldest give way."""


async def read_caller(db: Db, tenant: UUID, secret: bytes, now: datetime) -> Caller | None:
    """Read who a valid session belongs to."""
    found = await db.execute(
        """
        SELECT person.id, membership.role, person.email, person.name, tenant.name,
               session.expires_at
        FROM session
        JOIN person ON person.tenant_id = session.tenant_id AND person.id = session.person_id
        JOIN membership
          ON membership.tenant_id = session.tenant_id AND membership.person_id = session.person_id
        JOIN tenant ON tenant.tenant_id = session.tenant_id
        WHERE session.tenant_id = %s AND session.hash = %s AND session.expires_at > %s
        """,
        (tenant, secret, now),
    )
    row = await found.fetchone()
    if row is None:
        return None
    person, role, email, name, tenant_name, expires_at = row
    return Caller(person, tenant, Role(role), email, name, tenant_name, expires_at)


async def add_session(
    db: Db, tenant: UUID, person: UUID, secret: bytes, *, now: datetime, expires_at: datetime
) -> None:
    """Begin a session, and forget those of this person that have expired."""
    await db.execute(
        "DELETE FROM session WHERE tenant_id = %s AND person_id = %s AND expires_at <= %s",
        (tenant, person, now),
    )
    await db.execute(
        """
        INSERT INTO session (hash, tenant_id, person_id, created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s)
        """,
        (secret, tenant, person, now, expires_at),
    )


async def end_session(db: Db, tenant: UUID, secret: bytes) -> None:
    """End a session."""
    await db.execute("DELETE FROM session WHERE tenant_id = %s AND hash = %s", (tenant, secret))


async def add_link(db: Db, tenant: UUID, person: UUID, secret: bytes, expires_at: datetime) -> None:
    """Keep a sign-in link, and no more than ``LINK_LIMIT`` of one person."""
    await db.execute(
        """
        DELETE FROM sign_in_link WHERE tenant_id = %(tenant)s AND hash IN (
            SELECT hash FROM sign_in_link
            WHERE tenant_id = %(tenant)s AND person_id = %(person)s
            ORDER BY expires_at DESC OFFSET %(keep)s)
        """,
        {"tenant": tenant, "person": person, "keep": LINK_LIMIT - 1},
    )
    await db.execute(
        "INSERT INTO sign_in_link (hash, tenant_id, person_id, expires_at) VALUES (%s, %s, %s, %s)",
        (secret, tenant, person, expires_at),
    )


async def use_link(db: Db, tenant: UUID, secret: bytes, now: datetime) -> UUID | None:
    """Use up a sign-in link and give its person; None if it was used or has expired."""
    found = await db.execute(
        """
        UPDATE sign_in_link SET used_at = %(now)s
        WHERE tenant_id = %(tenant)s AND hash = %(secret)s
          AND used_at IS NULL AND expires_at > %(now)s
        RETURNING person_id
        """,
        {"tenant": tenant, "secret": secret, "now": now},
    )
    row = await found.fetchone()
    return row[0] if row else None


async def read_password(db: Db, tenant: UUID, email: str) -> tuple[UUID, str | None] | None:
    """Read number and password hash of a person."""
    found = await db.execute(
        "SELECT id, password FROM person WHERE tenant_id = %s AND email = %s", (tenant, email)
    )
    row = await found.fetchone()
    return (row[0], row[1]) if row else None


# Claims and gateways --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim as it is stored."""

    site_id: UUID
    expires_at: datetime
    uses_left: int
    used_by: bytes | None
    gateway_id: UUID | None


@dataclass(frozen=True, slots=True)
class Credential:
    """What a gateway is recognised by. The digests are SHA-256."""

    id: UUID
    public_key_sha256: bytes
    certificate_sha256: bytes
    certificate: bytes
    certificate_serial: str
    certificate_expires_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A gateway's newest certificate and whether it may use it."""

    certificate: bytes
    certificate_sha256: bytes
    certificate_expires_at: datetime
    status: str


async def add_claim(
    db: Db, tenant: UUID, site: UUID, secret: bytes, *, expires_at: datetime, uses: int
) -> None:
    """Keep a claim."""
    await db.execute(
        """
        INSERT INTO claim (hash, tenant_id, site_id, expires_at, uses_left)
        VALUES (%s, %s, %s, %s, %s)
        """,
        (secret, tenant, site, expires_at, uses),
    )


async def lock_claim(db: Db, tenant: UUID, secret: bytes) -> ClaimRow | None:
    """Read a claim and hold it to the end of the transaction: two uses come one by one."""
    async with db.cursor(row_factory=class_row(ClaimRow)) as cursor:
        await cursor.execute(
            """
            SELECT site_id, expires_at, uses_left, used_by, gateway_id
            FROM claim WHERE tenant_id = %s AND hash = %s FOR UPDATE
            """,
            (tenant, secret),
        )
        return await cursor.fetchone()


async def use_claim(
    db: Db, tenant: UUID, secret: bytes, public_key_sha256: bytes, gateway: UUID
) -> None:
    """Note one use of a claim, and by which key."""
    await db.execute(
        """
        UPDATE claim SET uses_left = uses_left - 1, used_by = %s, gateway_id = %s
        WHERE tenant_id = %s AND hash = %s
        """,
        (public_key_sha256, gateway, tenant, secret),
    )


async def add_gateway(
    db: Db,
    tenant: UUID,
    site: UUID,
    credential: Credential,
    *,
    name: str,
    version: str,
    now: datetime,
) -> bool:
    """Add a gateway; False if the tenant has one of this name or with this key."""
    found = await db.execute(
        """
        INSERT INTO gateway (id, tenant_id, site_id, name, public_key_sha256, certificate_sha256,
                             certificate, certificate_serial, certificate_expires_at, version,
                             enrolled_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (
            credential.id, tenant, site, name, credential.public_key_sha256,
            credential.certificate_sha256, credential.certificate, credential.certificate_serial,
            credential.certificate_expires_at, version, now,
        ),
    )  # fmt: skip
    return found.rowcount == 1


async def renew_gateway(db: Db, tenant: UUID, credential: Credential) -> bool:
    """Put a fresh certificate of the same key in the place of a gateway's old one.

    False if the gateway is suspended, or has another key by now.
    """
    found = await db.execute(
        """
        UPDATE gateway SET certificate_sha256 = %s, certificate = %s, certificate_serial = %s,
                           certificate_expires_at = %s
        WHERE tenant_id = %s AND id = %s AND public_key_sha256 = %s AND status = 'enrolled'
        """,
        (
            credential.certificate_sha256, credential.certificate, credential.certificate_serial,
            credential.certificate_expires_at, tenant, credential.id, credential.public_key_sha256,
        ),
    )  # fmt: skip
    return found.rowcount == 1


async def read_credential(db: Db, tenant: UUID, gateway: UUID) -> StoredCredential | None:
    """Read by what a gateway is recognised."""
    async with db.cursor(row_factory=class_row(StoredCredential)) as cursor:
        await cursor.execute(
            """
            SELECT certificate, certificate_sha256, certificate_expires_at, status
            FROM gateway WHERE tenant_id = %s AND id = %s
            """,
            (tenant, gateway),
        )
        return await cursor.fetchone()


async def gateway_status(db: Db, tenant: UUID, gateway: UUID) -> str | None:
    """Read whether a gateway is ``enrolled`` or ``suspended``; None if there is none."""
    found = await db.execute(
        "SELECT status FROM gateway WHERE tenant_id = %s AND id = %s", (tenant, gateway)
    )
    row = await found.fetchone()
    return row[0] if row else None


async def set_gateway_status(db: Db, tenant: UUID, gateway: UUID, status: str) -> None:
    """Make a gateway ``suspended`` or ``enrolled``."""
    await db.execute(
        "UPDATE gateway SET status = %s WHERE tenant_id = %s AND id = %s",
        (status, tenant, gateway),
    )


async def use_assertion(
    db: Db, tenant: UUID, gateway: UUID, jti: str, *, now: datetime, expires_at: datetime
) -> bool:
    """Note that an assertion was used; False if it was before. Forgets expired ones."""
    await db.execute(
        "DELETE FROM assertion WHERE tenant_id = %s AND gateway_id = %s AND expires_at <= %s",
        (tenant, gateway, now),
    )
    found = await db.execute(
        """
        INSERT INTO assertion (tenant_id, gateway_id, jti, expires_at) VALUES (%s, %s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (tenant, gateway, jti, expires_at),
    )
    return found.rowcount == 1
