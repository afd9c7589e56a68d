"""The schema is what the migrations make, and migrations are applied once."""

from importlib.resources import files

import psycopg
import pytest

from cloud_api.db.migrate import Migration, load_migrations, migrate
from cloud_api.db.schema import dump_schema
from cloud_api.errors import MigrationError


async def test_the_committed_schema_is_the_sum_of_the_migrations(own_database_dsn):
    committed = files("cloud_api.db").joinpath("schema.sql").read_text(encoding="utf-8")
    assert await dump_schema(own_database_dsn) == committed, (
        "tidegate cloud schema > cloud_api/db/schema.sql"
    )


async def test_migrations_are_applied_once(own_database_dsn):
    assert await migrate(own_database_dsn) == []


async def test_a_failed_migration_leaves_nothing_behind(own_database_dsn):
    known = load_migrations()
    number = len(known) + 1
    broken = Migration(number, "pre", f"{number:04}_pre_x.sql", "CREATE TABLE x (); SELECT 1/0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(own_database_dsn, [*known, broken])
    whole = Migration(number, "pre", f"{number:04}_pre_x.sql", "CREATE TABLE x ()")
    assert await migrate(own_database_dsn, [*known, whole]) == [whole.name]


async def test_an_older_version_refuses_a_newer_database(own_database_dsn):
    with pytest.raises(MigrationError, match="this version does not"):
        await migrate(own_database_dsn, load_migrations()[:-1])
