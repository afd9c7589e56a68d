"""The embedded server: starts, survives, never outlives its parent, and drops root."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from cloud_api.db import programs
from cloud_api.db.cluster import discard, read_access
from cloud_api.db.embedded import embedded_postgres, embedded_server
from cloud_api.errors import EmbeddedDatabaseError

PARENT = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from cloud_api.db.embedded import embedded_server

    async def main():
        async with embedded_server(Path(sys.argv[1]), throwaway=False) as server:
            print(server.pid, flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())
    """
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: rights are dropped")


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "pg"
    access = read_access(tmp_path / "pg")
    if access is not None:  # as root the data may lie in a folder of the machine's
        discard(access)


@pytest.fixture
def parent(folder):
    """A process of its own that runs a server, and the server's number."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True
    )
    yield process, int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


def family(pid):
    """The server with all its processes."""
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def gone(processes, limit_s=10.0):
    _, alive = psutil.wait_procs(processes, timeout=limit_s)
    return not alive


async def answer_of(dsn, statement="SELECT 1"):
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        return (await (await connection.execute(statement)).fetchone())[0]


async def test_what_was_written_is_there_after_a_restart(folder):
    async with (
        embedded_postgres(folder) as dsn,
        await psycopg.AsyncConnection.connect(dsn) as connection,
    ):
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    async with embedded_postgres(folder) as dsn:
        assert await answer_of(dsn, "SELECT value FROM kept") == 42


async def test_at_the_end_no_process_is_left(folder):
    async with embedded_server(folder, throwaway=True) as server:
        processes = family(server.pid)
        assert len(processes) > 1
    assert gone(processes, 0)


async def test_after_kill_9_of_the_parent_nothing_is_left(parent):
    process, pid = parent
    processes = family(pid)
    process.kill()
    assert await asyncio.to_thread(gone, processes)


async def test_a_start_after_kill_9_recovers(parent, folder):
    process, _ = parent
    dsn = read_access(folder).dsn()
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    process.kill()
    async with embedded_postgres(folder) as dsn:
        assert await answer_of(dsn, "SELECT value FROM kept") == 42


async def test_a_server_that_was_left_frozen_is_stopped_first(parent, folder):
    """Should the kernel's signal not get through, the next start puts things right."""
    process, pid = parent
    psutil.Process(pid).suspend()
    process.kill()
    process.wait()
    psutil.Process(pid).resume()
    async with embedded_server(folder) as server:
        assert server.pid != pid
        assert await answer_of(server.dsn) == 1


async def test_a_stale_pid_file_with_a_number_used_again_is_no_obstacle(folder):
    async with embedded_server(folder) as server:
        home = server.access.home
    pid_file = home / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{home / 'data'}\n0\n5432\n\n\n\nready\n")
    os.chown(pid_file, home.stat().st_uid, home.stat().st_gid)
    async with embedded_postgres(folder) as dsn:
        assert await answer_of(dsn) == 1


async def test_half_an_initdb_is_begun_again(folder):
    async with embedded_server(folder) as server:
        home = server.access.home
    (home / "data" / "PG_VERSION").unlink()
    async with embedded_postgres(folder) as dsn:
        assert await answer_of(dsn) == 1


async def test_two_processes_do_not_share_a_folder(folder):
    async with embedded_postgres(folder, throwaway=True):
        with pytest.raises(EmbeddedDatabaseError, match="another process"):
            async with embedded_postgres(folder, throwaway=True):
                pass


async def test_there_is_no_port_and_no_way_in_without_the_password(folder):
    async with embedded_server(folder, throwaway=True) as server:
        assert psutil.Process(server.pid).net_connections("inet") == []  # it alone would listen
        assert server.access.socket.stat().st_mode & 0o777 == 0o700
        assert (folder / "access.json").stat().st_mode & 0o777 == 0o600
        wrong = server.dsn.replace(server.access.password.get_secret_value(), "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await answer_of(wrong)
        assert server.access.password.get_secret_value() not in repr(server)
        assert server.access.password.get_secret_value() not in str(
            psutil.Process(server.pid).cmdline()
        )


async def test_a_long_path_gets_a_short_socket(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    async with embedded_server(deep / "pg", throwaway=True) as server:
        assert len(os.fsencode(server.access.socket / ".s.PGSQL.5432")) <= 107
        assert await answer_of(server.dsn) == 1


async def test_a_server_that_ends_by_itself_is_noticed(folder):
    async with embedded_server(folder, throwaway=True) as server:
        os.kill(server.pid, signal.SIGQUIT)
        with pytest.raises(EmbeddedDatabaseError, match="ended with code"):
            async with asyncio.timeout(10):
                await server.ended()


async def test_ctrl_c_on_the_terminal_does_not_reach_the_server(folder):
    async with embedded_server(folder, throwaway=True) as server:
        assert os.getsid(server.pid) == server.pid != os.getsid(0)


async def test_a_thread_may_not_start_it(folder):
    async def start():
        async with embedded_postgres(folder):
            pass

    with pytest.raises(EmbeddedDatabaseError, match="main thread"):
        await asyncio.to_thread(asyncio.run, start())


async def test_a_first_start_is_quick(folder):
    begin = time.perf_counter()
    async with embedded_postgres(folder, throwaway=True):
        assert time.perf_counter() - begin < 10  # alone on the machine: below 1


async def test_a_throwaway_leaves_nothing_on_disk(folder):
    async with embedded_server(folder, throwaway=True) as server:
        home = server.access.home
        assert home.is_dir()
    assert not home.exists()
    assert [path.name for path in folder.iterdir()] == ["lock"]


@needs_root
async def test_as_root_the_server_runs_without_rights(folder):
    async with embedded_server(folder, throwaway=True) as server:
        checked = 0
        for process in family(server.pid):
            with contextlib.suppress(
                psutil.NoSuchProcess, FileNotFoundError
            ):  # workers come and go
                ids = [*process.uids(), *process.gids()]
                status = status_of(process.pid)
                assert 0 not in ids
                assert int(status["CapEff"], 16) == 0
                assert "0" not in status["Groups"].split()
                checked += 1
        assert checked > 1


@needs_root
async def test_a_private_checkout_is_left_private(tmp_path, monkeypatch):
    """As below /root: programs and data go where the account can reach them, rights stay."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    shelf = Path("/tmp") / f"tidegate-test-{os.getpid()}"
    shelf.mkdir(mode=0o755)
    package = Path(programs.find_spec(programs.PACKAGE).submodule_search_locations[0])
    hidden = private / programs.PACKAGE
    hidden.symlink_to(package)
    monkeypatch.setattr(programs, "SHELVES", (shelf,))
    monkeypatch.setattr(programs, "reachable", lambda path, account: shelf in (path, *path.parents))
    try:
        async with embedded_server(private / "pg", throwaway=True) as server:
            running = Path(psutil.Process(server.pid).exe())
            assert shelf in running.parents
            assert private not in server.access.home.parents
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(shelf)
