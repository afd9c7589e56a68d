"""Our own supervisor of a PostgreSQL server: started, watched and stopped with this process.

The server dies with its parent. The kernel sends SIGINT ("fast shutdown") to the postmaster when
the thread that started it ends, also after ``kill -9``; hence it is started from the main thread.
It has a session of its own, so that Ctrl-C on the terminal reaches us alone and we stop it in order.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import psycopg

from cloud_api.db import cluster
from cloud_api.db.account import Account, give, server_account
from cloud_api.db.postmaster import POLL_S, spawn, status, stop, stop_orphan
from cloud_api.db.private_file import write_private
from cloud_api.db.programs import find_programs
from cloud_api.errors import EmbeddedDatabaseError

START_LIMIT_S = 300
"""Recovery after a crash may take long; a server that ends is noticed at once."""
LOCK_LIMIT_S = 1.0
"""For a process that was just killed and is not quite gone."""
LOG_LIMIT_BYTES = 2 << 20
LOG_CHECK_S = 30.0
LOG_TAIL_CHARS = 600

# For machines from 1 GB up: 21 MB for the postmaster and at most 64 MB that all share.
TUNING = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "pglz",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "logging_collector": "off",
}
THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server."""

    dsn: str
    """The owner's connection string, password included."""
    pid: int
    access: cluster.Access
    process: "subprocess.Popen[bytes]"

    def __repr__(self) -> str:
        """Keep the password out of logs."""
        return f"EmbeddedServer(pid={self.pid}, home={self.access.home})"

    async def ended(self) -> NoReturn:
        """Wait until the server ends by itself, which it never should.

        Raises:
            EmbeddedDatabaseError: it did.

        """
        while self.process.poll() is None:  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.5)
        raise EmbeddedDatabaseError(
            f"the database server ended with code {self.process.returncode}",
            hint=f"see {_log_file(self.access)}: {_tail(self.access)}",
        )


@asynccontextmanager
async def embedded_postgres(folder: Path, *, throwaway: bool = False) -> AsyncIterator[str]:
    """Run a server for as long as the context lasts, and give the owner's connection string.

    Raises:
        EmbeddedDatabaseError: it cannot be started, or another process runs this folder.

    """
    async with embedded_server(folder, throwaway=throwaway) as server:
        yield server.dsn


@asynccontextmanager
async def embedded_server(
    folder: Path, *, throwaway: bool = False
) -> AsyncIterator[EmbeddedServer]:
    """Run a server for as long as the context lasts. ``throwaway``: no fsync, removed at the end.

    Raises:
        EmbeddedDatabaseError: it cannot be started, or another process runs this folder.

    """
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedDatabaseError("the database server is started from the main thread only")
    folder = folder.absolute()  # noqa: ASYNC240 - reads the working directory, no file
    account = server_account()
    programs = find_programs(account)
    access = cluster.prepare(folder, account, throwaway=throwaway)
    async with _lock(folder):
        data = access.home / "data"
        await stop_orphan(data)
        if not (data / "PG_VERSION").exists():
            await _make_data(programs, access, account, throwaway=throwaway)
        process = _start(programs, access, account, throwaway=throwaway)
        try:
            await _ready(process, access)
            await _make_database(access)
            log = asyncio.create_task(_keep_log_bounded(access))
            try:
                yield EmbeddedServer(access.dsn(), process.pid, access, process)
            finally:
                log.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await log
        finally:
            await stop(process, hurry=throwaway)
            if throwaway:
                cluster.discard(access)
                (folder / "access.json").unlink(missing_ok=True)


@asynccontextmanager
async def _lock(folder: Path) -> AsyncIterator[None]:
    """Hold the folder: whoever holds it may stop a server that a dead process left behind."""
    with (folder / "lock").open("w", encoding="utf-8") as file:
        deadline = asyncio.get_running_loop().time() + LOCK_LIMIT_S
        while not _try_lock(file):
            if asyncio.get_running_loop().time() > deadline:
                raise EmbeddedDatabaseError(
                    f"another process runs the database in {folder}",
                    hint="stop it first, or choose another --state-dir",
                )
            await asyncio.sleep(POLL_S)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _make_data(
    programs: Path, access: cluster.Access, account: Account | None, *, throwaway: bool
) -> None:
    """Run initdb aside, then rename: half a data folder is never started."""
    data, aside, secret = (access.home / name for name in ("data", "data.new", "password"))
    for leftover in (data, aside):
        shutil.rmtree(leftover, ignore_errors=True)
    secret.unlink(missing_ok=True)
    write_private(secret, access.password.get_secret_value())
    give(secret, account)
    command = [
        str(programs / "initdb"), "--pgdata", str(aside), "--username", cluster.OWNER,
        "--pwfile", str(secret), "--auth", "scram-sha-256", "--locale", "C.UTF-8",
        "--encoding", "UTF8", "--no-instructions",
    ]  # fmt: skip
    try:
        with (access.home / "initdb.log").open("wb") as log:
            process = spawn([*command, *(["--no-sync"] if throwaway else [])], log, account)
            if await asyncio.to_thread(process.wait) != 0:
                text = (access.home / "initdb.log").read_text(errors="replace")
                raise EmbeddedDatabaseError("initdb failed", hint=text[-LOG_TAIL_CHARS:])
    finally:
        secret.unlink(missing_ok=True)
    aside.rename(data)


def _start(
    programs: Path, access: cluster.Access, account: Account | None, *, throwaway: bool
) -> "subprocess.Popen[bytes]":
    settings = TUNING | (THROWAWAY if throwaway else {})
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [
        str(programs / "postgres"), "-D", str(access.home / "data"), "-k", str(access.socket),
        "-p", str(cluster.PORT), *options,
    ]  # fmt: skip
    _trim_log(access)
    with _log_file(access).open("ab") as log:
        return spawn(command, log, account)


async def _ready(process: "subprocess.Popen[bytes]", access: cluster.Access) -> None:
    """Wait for the status line of postmaster.pid, which the server writes when it can be used."""
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while process.poll() is None:
                if status(access.home / "data") == (process.pid, "ready"):
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        pass
    raise EmbeddedDatabaseError(
        "the database server did not start",
        hint=f"see {_log_file(access)}: {_tail(access)}",
    )


async def _make_database(access: cluster.Access) -> None:
    async with await psycopg.AsyncConnection.connect(
        access.dsn("postgres"), autocommit=True
    ) as connection:
        found = await connection.execute(
            "SELECT FROM pg_database WHERE datname = %s", (cluster.DATABASE,)
        )
        if found.rowcount == 0:
            await connection.execute("CREATE DATABASE tidegate STRATEGY file_copy")


def _log_file(access: cluster.Access) -> Path:
    return access.home / "server.log"


def _tail(access: cluster.Access) -> str:
    try:
        return _log_file(access).read_text(errors="replace")[-LOG_TAIL_CHARS:].strip()
    except FileNotFoundError:
        return ""


async def _keep_log_bounded(access: cluster.Access) -> None:
    while True:
        await asyncio.sleep(LOG_CHECK_S)
        _trim_log(access)


def _trim_log(access: cluster.Access) -> None:
    """Keep one older log. The server appends, so cutting the file under it is safe."""
    log = _log_file(access)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
