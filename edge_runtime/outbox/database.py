"""How the edge opens SQLite: durable, asserted, and with our own errors."""

import errno
import shutil
import sqlite3  # noqa: TID251 - the store
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from edge_runtime.durable import FILE_MODE
from edge_runtime.errors import StoreDamagedError, StoreError, StoreFullError

Connection = sqlite3.Connection

BUSY_TIMEOUT_S = 2.0
CHECKPOINT_BYTES = 1 << 20
"""Size of the write-ahead log at which it is moved into the file."""
JOURNAL_LIMIT_BYTES = 1 << 20
CACHE_KIB = 512
"""Page cache of one connection; segments are written once and read once."""
_FULL_SYNC = 2
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_ERROR,
}
"""The last one is "no such table": all our SQL is fixed, so the file is not what we made."""
_UNREADABLE = {
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
    sqlite3.SQLITE_IOERR_DATA,
}
"""Extended codes: the disk does not give back what was written. Other I/O errors may pass."""
_MAYBE_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
SCARCE_BYTES = 256 << 10
"""With less than this free, an error of reading or writing is put down to the full disk."""
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
FULL_HINT = "free disk space"
DISK_HINT = "look at the disk and at the rights of state_dir"


def open_to_write(path: Path, *, page_size: int = 4096) -> Connection:
    """Open or make a database whose commits survive a power cut.

    Raises:
        StoreError: it cannot be opened, or does not take the settings that durability needs.

    """
    with store_errors(path):
        fresh = not path.exists()
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            if fresh:
                path.chmod(FILE_MODE)
                connection.execute(f"PRAGMA page_size={page_size:d}")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            page = connection.execute("PRAGMA page_size").fetchone()[0]
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_BYTES // page:d}")
            connection.execute(f"PRAGMA journal_size_limit={JOURNAL_LIMIT_BYTES:d}")
            connection.execute(f"PRAGMA cache_size=-{CACHE_KIB:d}")
            assert_durable(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_to_read(path: Path, *, still: bool = False) -> Connection:
    """Open a database that another process writes, or wrote (``still``: it changes no more).

    Raises:
        StoreError: it is not there or cannot be read.

    """
    query = "mode=ro&immutable=1" if still else "mode=ro"
    with store_errors(path):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?{query}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute(f"PRAGMA cache_size=-{CACHE_KIB:d}")
        except BaseException:
            connection.close()
            raise
    return connection


def assert_durable(connection: Connection, path: Path) -> None:
    """Refuse to write where SQLite silently kept weaker settings (some file systems do that).

    Raises:
        StoreError: the journal is not WAL or commits are not flushed.

    """
    journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if journal != "wal" or synchronous != _FULL_SYNC:
        msg = f"{path} runs with journal_mode={journal}, synchronous={synchronous}"
        raise StoreError(msg, hint="keep state_dir on a local disk with a file system such as ext4")


def is_intact(connection: Connection) -> bool:
    """Ask SQLite to check the structure of the file."""
    return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")


def data_version(connection: Connection) -> int:
    """Give a number that changes when another connection commits; costs microseconds."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into ours.

    Raises:
        StoreFullError: no space left.
        StoreDamagedError: the file is not a sound database.
        StoreError: anything else.

    """
    try:
        yield
    except UnicodeDecodeError as exc:
        # Python cannot even read SQLite's message, which quotes the damaged schema.
        raise StoreDamagedError(f"{path}: {exc}") from exc
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", None)
        if code is None and isinstance(exc, sqlite3.OperationalError):
            # Not from SQLite but from Python: a text column that is not UTF-8.
            raise StoreDamagedError(f"{path}: {exc}") from exc
        raise _ours(path, str(exc), code or 0) from exc
    except OSError as exc:
        if exc.errno in _NO_SPACE:
            raise StoreFullError(str(exc), hint=FULL_HINT) from exc
        raise StoreError(str(exc), hint=DISK_HINT) from exc


def _ours(path: Path, text: str, code: int) -> StoreError:
    message, primary = f"{path}: {text}", code & 0xFF
    if primary in _DAMAGED or code in _UNREADABLE:
        return StoreDamagedError(message)
    if primary == sqlite3.SQLITE_FULL or (primary in _MAYBE_FULL and _is_full(path)):
        return StoreFullError(message, hint=FULL_HINT)
    return StoreError(message, hint=DISK_HINT)


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < SCARCE_BYTES
    except OSError:
        return False
