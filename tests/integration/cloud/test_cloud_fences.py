"""The fence between tenants, looked up in the database's own catalogue and tried from outside."""

from uuid import uuid4

import psycopg
import pytest

from cloud_api.access import doors
from cloud_api.db.session import copying


async def test_a_tenant_sees_its_own_rows_only(database, add_tenant):
    a, b = await add_tenant("acme"), await add_tenant("bolt")
    async with database.transaction(a.id) as db:
        found = await db.execute("SELECT tenant_id FROM site")
        assert {row[0] for row in await found.fetchall()} == {a.id}
    async with database.ingest(b.id) as db:
        found = await db.execute("SELECT tenant_id FROM site")
        assert {row[0] for row in await found.fetchall()} == {b.id}
