"""The fence between tenants: looked up in the database's own catalogue, and run against."""

from uuid import uuid4

import psycopg
import pytest

from cloud_api.access import doors
from cloud_api.db.pool import role_dsn
from cloud_api.db.roles import APP, INGEST, LOGIN, MERGE
from cloud_api.db.session import copying

POLICY = "(tenant_id = (current_setting('tidegate.tenant'::text))::uuid)"
DEFINERS = {
    "join_chunks",
    "keep_sample_partitions",
    "repair_chunks",
    "tenant_ids",
    "tenant_of_claim",
    "tenant_of_gateway",
    "tenant_of_session",
    "tenant_of_sign_in_link",
    "tenants_of_email",
}
"""Functions that run with their owner's rights. Whoever adds one argues for it beside its SQL."""


@pytest.fixture
async def owner(database_dsn):
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
        yield connection


async def column(connection, statement, *parameters):
    found = await connection.execute(statement, parameters)
    return [row[0] for row in await found.fetchall()]


async def test_every_table_with_a_tenant_forces_row_security(owner):
    unfenced = await column(
        owner,
        """
        SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'tidegate'::regnamespace AND relkind IN ('r', 'p')
          AND attname = 'tenant_id' AND NOT (relrowsecurity AND relforcerowsecurity)
        """,
    )
    assert unfenced == []


async def test_every_fenced_table_has_the_one_policy(owner):
    found = await owner.execute(
        """
        SELECT relname, array_agg(pg_get_expr(polqual, polrelid)), bool_and(polcmd = '*'),
               bool_and(polpermissive), bool_and(polroles = '{0}'), bool_and(polwithcheck IS NULL)
        FROM pg_class LEFT JOIN pg_policy ON polrelid = pg_class.oid
        WHERE relnamespace = 'tidegate'::regnamespace AND relkind IN ('r', 'p')
          AND relname <> 'schema_migration'
        GROUP BY relname
        """
    )
    for table, expressions, *usual in await found.fetchall():
        assert expressions == [POLICY], table
        assert usual == [True, True, True, True], table


async def test_tables_without_a_tenant_are_out_of_reach(owner):
    reached = await column(
        owner,
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'tidegate'::regnamespace AND relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_attribute
                          WHERE attrelid = pg_class.oid AND attname = 'tenant_id')
          AND (has_any_column_privilege('tidegate_app', oid, 'SELECT, INSERT, UPDATE')
               OR has_any_column_privilege('tidegate_ingest', oid, 'SELECT, INSERT, UPDATE'))
        """,
    )
    assert reached == []


async def test_partitions_are_reached_through_their_parent_only(owner):
    granted = await column(
        owner,
        """
        SELECT relname FROM pg_class
        WHERE relispartition AND relnamespace = 'tidegate'::regnamespace
          AND relacl::text LIKE '%%tidegate_%%=%%' AND relacl::text NOT LIKE '{tidegate_owner=%%}'
        """,
    )
    assert granted == []


async def test_views_ask_with_the_rights_of_who_looks(owner):
    blunt = await column(
        owner,
        """
        SELECT relname FROM pg_class WHERE relnamespace = 'tidegate'::regnamespace
          AND (relkind = 'm' OR relkind = 'v'
               AND NOT coalesce('security_invoker=true' = ANY (reloptions), false))
        """,
    )
    assert blunt == []


async def test_only_listed_functions_run_with_their_owners_rights_and_a_fixed_path(owner):
    found = await owner.execute(
        """
        SELECT proname, proconfig::text LIKE '%search_path=%' FROM pg_proc
        WHERE pronamespace = 'tidegate'::regnamespace AND prosecdef
        """
    )
    rows = await found.fetchall()
    assert {name for name, _ in rows} == DEFINERS
    assert all(fixed for _, fixed in rows)


async def test_nobody_runs_functions_without_being_granted(owner):
    open_to_all = await column(
        owner,
        """
        SELECT proname FROM pg_proc WHERE pronamespace = 'tidegate'::regnamespace
          AND (proacl IS NULL OR proacl::text ~ '[{,]=X')
        """,
    )
    assert open_to_all == []


async def test_unique_keys_hold_the_tenant_or_something_random(owner):
    """A key over all tenants tells that a name exists; a random number or hash tells nothing."""
    keys = await column(
        owner,
        """
        SELECT indrelid::regclass::text || ': ' || pg_get_indexdef(indexrelid, 1, true)
        FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'tidegate'::regnamespace AND indisunique
          AND pg_get_indexdef(indexrelid, 1, true) <> 'tenant_id'
        """,
    )
    assert {key.removeprefix("tidegate.") for key in keys} == {
        "claim: hash",
        "gateway: id",
        "schema_migration: number",
        "session: hash",
        "sign_in_link: hash",
    }


@pytest.mark.parametrize(
    ("role", "login", "bypass"),
    [(APP, True, False), (INGEST, True, True), (LOGIN, False, True), (MERGE, False, False)],
)
async def test_runtime_roles_have_no_more_than_they_need(owner, role, login, bypass):
    found = await owner.execute(
        """
        SELECT rolcanlogin, rolbypassrls, rolsuper, rolcreatedb, rolcreaterole, rolinherit
        FROM pg_roles WHERE rolname = %s
        """,
        (role,),
    )
    assert await found.fetchone() == (login, bypass, False, False, False, False)
    held = await column(
        owner,
        """
        SELECT privilege_type FROM information_schema.role_table_grants
        WHERE grantee = %s AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')
        """,
        role,
    )
    assert held == []


async def test_the_ingest_role_itself_may_only_append_to_the_history(owner):
    granted = await column(
        owner,
        """
        SELECT table_name || ' ' || privilege_type FROM information_schema.role_table_grants
        WHERE grantee = 'tidegate_ingest'
        """,
    )
    assert granted == ["sample_chunk INSERT"]


async def test_the_merge_role_itself_may_only_replace_chunks_and_show_the_newest(owner):
    granted = await column(
        owner,
        """
        SELECT table_name || ' ' || privilege_type FROM information_schema.role_table_grants
        WHERE grantee = 'tidegate_merge' ORDER BY 1
        """,
    )
    assert granted == [
        "clock_repair SELECT",
        *(f"latest {right}" for right in ("INSERT", "SELECT", "UPDATE")),
        *(f"sample_chunk {right}" for right in ("DELETE", "INSERT", "SELECT")),
    ]


async def test_functions_with_their_owners_rights_belong_to_who_needs_least(owner):
    found = await owner.execute(
        """
        SELECT rolname, array_agg(proname::text) FROM pg_proc JOIN pg_roles ON pg_roles.oid = proowner
        WHERE pronamespace = 'tidegate'::regnamespace AND prosecdef GROUP BY 1
        """
    )
    owned = dict(await found.fetchall())
    assert set(owned.pop(MERGE)) == {"join_chunks", "repair_chunks"}
    assert set(owned.pop(LOGIN)) == DEFINERS - {
        "join_chunks", "keep_sample_partitions", "repair_chunks",
    }  # fmt: skip
    assert list(owned.values()) == [["keep_sample_partitions"]]


async def test_the_doors_role_reads_no_more_than_the_doors_need(owner):
    granted = await column(
        owner,
        """
        SELECT table_name || '.' || column_name || ' ' || privilege_type
        FROM information_schema.role_column_grants WHERE grantee = 'tidegate_login' ORDER BY 1
        """,
    )
    tables = {"claim": "hash", "gateway": "id", "session": "hash", "sign_in_link": "hash"}
    expected = {f"{table}.{key} SELECT" for table, key in tables.items()}
    expected |= {f"{table}.tenant_id SELECT" for table in (*tables, "person", "tenant")}
    assert set(granted) == expected | {"person.email SELECT"}


async def test_a_tenant_sees_its_own_rows_only(database, add_tenant):
    a, b = await add_tenant("acme"), await add_tenant("bolt")
    async with database.transaction(a.id) as db:
        assert await column(db, "SELECT DISTINCT tenant_id FROM site") == [a.id]
    async with database.ingest(b.id) as db:
        assert await column(db, "SELECT DISTINCT tenant_id FROM site") == [b.id]


async def test_a_row_for_another_tenant_is_refused(database, add_tenant):
    a, b = await add_tenant("acme"), await add_tenant("bolt")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(a.id) as db:
            await db.execute(
                "INSERT INTO site (id, tenant_id, name) VALUES (%s, %s, 'x')", (uuid4(), b.id)
            )


async def test_a_reference_to_another_tenants_row_is_refused(database, add_tenant):
    a, b = await add_tenant("acme"), await add_tenant("bolt")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with database.transaction(a.id) as db:
            await db.execute(
                """
                INSERT INTO claim (hash, tenant_id, site_id, expires_at)
                VALUES (%s, %s, %s, now())
                """,
                (bytes(32), a.id, b.site),
            )


@pytest.mark.parametrize("table", ["site", "gateway", "point", "latest", "sample_chunk", "alert"])
async def test_without_a_tenant_reading_fails_instead_of_giving_everything(
    database, add_tenant, table
):
    await add_tenant("acme")
    with pytest.raises(psycopg.errors.DataError):
        async with database.door() as db:
            await db.execute(
                psycopg.sql.SQL("SELECT FROM {}").format(psycopg.sql.Identifier(table))
            )


async def test_the_tenant_ends_with_the_transaction(database_dsn, database, add_tenant):
    a = await add_tenant("acme")
    async with await psycopg.AsyncConnection.connect(role_dsn(database_dsn, APP)) as connection:
        async with connection.transaction():
            await connection.execute("SELECT tidegate.set_tenant(%s)", (a.id,))
            assert await column(connection, "SELECT count(*) FROM site") == [1]
        with pytest.raises(psycopg.errors.DataError):
            await connection.execute("SELECT FROM site")


async def test_the_ingest_connection_is_the_app_except_for_copying(database, add_tenant):
    a = await add_tenant("acme")
    async with database.ingest(a.id) as db:
        assert await column(db, "SELECT current_user") == [APP]
        async with copying(db):
            assert await column(db, "SELECT current_user") == [INGEST]
        assert await column(db, "SELECT current_user") == [APP]


async def test_while_copying_nothing_can_be_read_not_even_the_history(database, add_tenant):
    a = await add_tenant("acme")
    for table in ("sample_chunk", "site", "person"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.ingest(a.id) as db, copying(db):
                await db.execute(
                    psycopg.sql.SQL("SELECT FROM {}").format(psycopg.sql.Identifier(table))
                )


async def test_the_app_cannot_become_another_role(database, add_tenant):
    a = await add_tenant("acme")
    for role in (INGEST, LOGIN, "tidegate_owner"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.transaction(a.id) as db:
                await db.execute(
                    psycopg.sql.SQL("SET ROLE {}").format(psycopg.sql.Identifier(role))
                )


async def test_a_door_gives_a_tenant_and_nothing_else(database, add_tenant, add_gateway):
    a = await add_tenant(f"acme-{uuid4().hex[:8]}")
    gateway = await add_gateway(a)
    async with database.door() as db:
        assert await doors.tenant_of_gateway(db, gateway.id) == a.id
        assert await doors.tenant_of_gateway(db, uuid4()) is None
        assert await doors.tenants_of_email(db, a.email) == [a.id]
        assert await doors.tenants_of_email(db, "' OR true --") == []
        assert await doors.tenant_of_session(db, bytes(32)) is None
