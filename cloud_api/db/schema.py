"""The schema as text: what ``pg_dump`` says after all migrations, in the one form it is committed."""

import asyncio
import re
import subprocess
import tempfile
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from cloud_api.db.account import server_account
from cloud_api.db.embedded import embedded_server
from cloud_api.db.migrate import migrate
from cloud_api.db.programs import find_programs
from cloud_api.errors import DatabaseError

_NOISE = re.compile(
    r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*|ALTER .* OWNER TO tidegate_owner;)$"
)
_DAILY = re.compile(r"\bsample_chunk_\d{8}")


async def schema_of_migrations() -> str:
    """Run all migrations in a throw-away server and dump what they made."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_server(Path(folder) / "pg", throwaway=True) as server:
            await migrate(server.dsn)
            return await dump_schema(server.dsn)


async def dump_schema(dsn: str) -> str:
    """Dump the schema of a database in its normal form.

    Raises:
        DatabaseError: pg_dump failed.

    """
    facts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    command = [
        str(find_programs(server_account()) / "pg_dump"), "--schema-only", "--schema=tidegate",
        "--host", facts["host"], "--username", facts["user"], facts["dbname"],
    ]  # fmt: skip
    environment = {"PGPASSWORD": facts["password"], "LC_ALL": "C.UTF-8"}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        raise DatabaseError("pg_dump failed", hint=err.decode(errors="replace")[-500:])
    return normalise(out.decode())


def normalise(dump: str) -> str:
    """Leave out comments, settings, owners, and the partitions that each day adds."""
    statements = [text for text in _statements(dump) if not _DAILY.search(text)]
    return "\n\n".join(statements) + "\n"


def _statements(dump: str) -> list[str]:
    """Split on blank lines between statements; a function's body may hold blank lines of its own."""
    lines = [line.rstrip() for line in dump.splitlines() if not _NOISE.match(line)]
    return [block.strip("\n") for block in re.split(r"\n{2,}", "\n".join(lines)) if block.strip()]
