"""The roles of the database and their passwords.

    owner             whoever ``DATABASE_URL`` names: migrations, nothing at run time
    tidegate_app      everything at run time, under row-level security
    tidegate_ingest   BYPASSRLS, may insert into the history and become tidegate_app, nothing else
    tidegate_login    cannot log in; owns the few functions that find the tenant of a credential
    tidegate_merge    cannot log in; owns the functions that join chunks and repair their times,
                      under row-level security

Passwords of the two that log in are derived from the owner's, so that any number of API processes
agree on them and none has to be stored. The way back does not exist.
"""

import base64
import hashlib
import hmac

from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from cloud_api.db.session import Db
from cloud_api.errors import SettingsError

APP = "tidegate_app"
INGEST = "tidegate_ingest"
LOGIN = "tidegate_login"
MERGE = "tidegate_merge"

_ATTRIBUTES = {
    APP: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION",
    INGEST: "LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION",
    LOGIN: "NOLOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION",
    MERGE: "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION",
}


def role_password(dsn: str, role: str) -> str:
    """Derive a runtime role's password from the owner's.

    Raises:
        SettingsError: the owner's connection string has no password.

    """
    facts = conninfo_to_dict(dsn)
    secret = facts.get("password")
    if not secret:
        raise SettingsError(
            "DATABASE_URL has no password",
            hint="give the owner one; the runtime roles' passwords are derived from it",
        )
    key = str(secret).encode()
    raw = hmac.digest(key, f"tidegate role {role}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def ensure_roles(owner: Db, dsn: str) -> None:
    """Make the roles of this server, or bring them up to date; safe to repeat.

    Roles belong to the whole server, so this is no migration: databases share them.
    """
    found = await owner.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'tidegate\\_%'")
    existing = {row[0] for row in await found.fetchall()}
    for role, attributes in _ATTRIBUTES.items():
        verb = "ALTER" if role in existing else "CREATE"
        await owner.execute(
            sql.SQL("{} ROLE {} {}").format(
                sql.SQL(verb), sql.Identifier(role), sql.SQL(attributes)
            )
        )
    for role in (APP, INGEST):
        await _set_password(owner, role, role_password(dsn, role))
    await owner.execute("GRANT tidegate_app TO tidegate_ingest WITH INHERIT FALSE, SET TRUE")
    await owner.execute(
        "GRANT tidegate_login, tidegate_merge TO CURRENT_USER WITH INHERIT FALSE, SET TRUE"
    )


async def _set_password(owner: AsyncConnection, role: str, password: str) -> None:
    """Send the SCRAM verifier: the password itself would be in the server's log."""
    verifier = owner.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    await owner.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(verifier.decode())
        )
    )
