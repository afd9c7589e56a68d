"""Numbered SQL files, applied once and in order: ``0001_pre_core.sql``.

``pre`` files run before the new code, ``post`` files after it. Each file is one transaction with a
lock time-out, so that a migration gives way to traffic instead of stopping it; none fills data.
A file that was applied must not change: its checksum is kept.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from psycopg import AsyncConnection

from cloud_api.db.roles import ensure_roles
from cloud_api.db.session import Db
from cloud_api.errors import MigrationError

ADVISORY_LOCK = 7_411_318
"""One runner at a time in the whole server, for the roles belong to it; any number will do."""
LOCK_LIMIT = "5s"
_NAME = re.compile(r"(\d{4})_(pre|post)_([a-z0-9_]+)\.sql")

_BOOK = """
CREATE SCHEMA IF NOT EXISTS tidegate;
CREATE TABLE IF NOT EXISTS tidegate.schema_migration (
    number int PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    phase: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations() -> list[Migration]:
    """Read the files of this version, in order.

    Raises:
        MigrationError: a file is not named as it should, or two have the same number.

    """
    found: dict[int, Migration] = {}
    for entry in files("cloud_api.db").joinpath("migrations").iterdir():
        if not entry.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(entry.name)
        if match is None or int(match[1]) in found:
            raise MigrationError(f"{entry.name} is not named like 0001_pre_core.sql, once a number")
        text = entry.read_text(encoding="utf-8")
        found[int(match[1])] = Migration(int(match[1]), match[2], entry.name, text)
    return [found[number] for number in sorted(found)]


def pending(migrations: Sequence[Migration], applied: dict[int, str]) -> list[Migration]:
    """Decide which files are still to be applied; ``applied`` maps number to checksum.

    Raises:
        MigrationError: an applied file changed, or the database is ahead of this code.

    """
    known = {migration.number: migration for migration in migrations}
    for number, checksum in applied.items():
        if number not in known:
            raise MigrationError(
                f"the database has migration {number:04}, this version does not",
                hint="start the version that made it, or a newer one",
            )
        if known[number].checksum != checksum:
            raise MigrationError(
                f"{known[number].name} changed after it was applied",
                hint="an applied migration is never edited: add a new one",
            )
    return [migration for migration in migrations if migration.number not in applied]


async def migrate(dsn: str, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Bring a database up to date as its owner and give the names of the files applied.

    Raises:
        MigrationError: code and database do not fit each other.

    """
    files_ = load_migrations() if migrations is None else migrations
    async with await AsyncConnection.connect(dsn, autocommit=True) as owner:
        await owner.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        await ensure_roles(owner, dsn)
        await owner.execute(_BOOK)
        rows = await owner.execute("SELECT number, checksum FROM tidegate.schema_migration")
        todo = pending(files_, dict(await rows.fetchall()))
        for migration in todo:
            await _apply(owner, migration)
    return [migration.name for migration in todo]


async def _apply(owner: Db, migration: Migration) -> None:
    async with owner.transaction():
        await owner.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_LIMIT,))
        await owner.execute("SET LOCAL search_path = tidegate, pg_catalog")
        await owner.execute(migration.sql.encode())
        await owner.execute(
            "INSERT INTO tidegate.schema_migration (number, name, checksum) VALUES (%s, %s, %s)",
            (migration.number, migration.name, migration.checksum),
        )
