"""The SQL of the inbox and of the journal, and how their files are opened."""

import logging
from pathlib import Path

from cloud_sync.wire.ranges import Ranges, parse
from edge_runtime.durable import flush_folder, make_folder
from edge_runtime.errors import StoreDamagedError
from edge_runtime.outbox.database import (
    Connection,
    data_version,
    is_intact,
    open_to_read,
    open_to_write,
    store_errors,
)

__all__ = [
    "Connection", "data_version", "open_sound", "open_to_read", "path_of", "read_ranges",
    "store_errors",
]  # fmt: skip

INBOX_SCHEMA = """
CREATE TABLE IF NOT EXISTS acknowledged (
    stream TEXT NOT NULL, epoch TEXT NOT NULL, ranges TEXT NOT NULL, PRIMARY KEY (stream, epoch)
);
CREATE TABLE IF NOT EXISTS document (
    place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, not_after_us INTEGER NOT NULL,
    content BLOB NOT NULL
);
"""
GET_RANGES = "SELECT ranges FROM acknowledged WHERE stream = ? AND epoch = ?"
ALL_RANGES = "SELECT stream, epoch, ranges FROM acknowledged"
SET_RANGES = """
INSERT INTO acknowledged VALUES (?, ?, ?)
ON CONFLICT (stream, epoch) DO UPDATE SET ranges = excluded.ranges
"""
ADD_DOCUMENT = """
INSERT INTO document (id, not_after_us, content) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING
"""
HAS_DOCUMENT = "SELECT 1 FROM document WHERE id = ?"
COUNT_DOCUMENTS = "SELECT count(*) FROM document"
DROP_EXPIRED = """
DELETE FROM document WHERE place IN (
    SELECT place FROM document WHERE not_after_us < ? ORDER BY place LIMIT ?
)
"""
DOCUMENTS = "SELECT place, content FROM document WHERE place > ? ORDER BY place LIMIT ?"

JOURNAL_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    id TEXT PRIMARY KEY, begun_us INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS document_begun ON document (begun_us);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, content BLOB NOT NULL);
"""
BEGIN_DOCUMENT = """
INSERT INTO document VALUES (?, ?, '', '') ON CONFLICT (id) DO NOTHING
"""
FINISH_DOCUMENT = "UPDATE document SET state = ?, reason = ? WHERE id = ?"
UNFINISHED = "SELECT id FROM document WHERE state = '' ORDER BY begun_us, id"
OUTCOME = "SELECT state, reason FROM document WHERE id = ?"
FORGET_FINISHED = """
DELETE FROM document WHERE id IN (
    SELECT id FROM document WHERE state <> '' ORDER BY begun_us DESC, id LIMIT -1 OFFSET ?
)
"""
SAVE_STATE = """
INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET content = excluded.content
"""
DROP_STATE = "DELETE FROM state WHERE name = ?"
LOAD_STATES = "SELECT name, content FROM state"

log = logging.getLogger(__name__)


def path_of(folder: Path) -> Path:
    """Name the inbox's file."""
    return folder / "inbox.db"


def read_ranges(text: str) -> Ranges:
    """Read acknowledged numbers; damaged ones count as none, and their batches are sent again."""
    try:
        return parse(text)
    except ValueError as exc:
        log.error("acknowledged numbers damaged", extra={"error": str(exc)})  # noqa: TRY400 - expected kind of damage
        return ()


def open_sound(path: Path, schema: str) -> tuple[Connection, bool]:
    """Open a database to write on; a damaged one is moved aside and begun anew.

    Gives the connection, and whether what was there before is lost.

    Raises:
        StoreError: the disk is full or failing.

    """
    with store_errors(path):
        make_folder(path.parent)
    try:
        return _open(path, schema), False
    except StoreDamagedError as exc:
        log.error("store damaged, moved aside", extra={"path": str(path), "error": str(exc)})  # noqa: TRY400 - expected kind of damage
        _move_aside(path)
        return _open(path, schema), True


def _open(path: Path, schema: str) -> Connection:
    connection = open_to_write(path)
    try:
        with store_errors(path):
            if not is_intact(connection):
                msg = f"{path} does not pass SQLite's quick_check"
                raise StoreDamagedError(msg)
            connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _move_aside(path: Path) -> None:
    """Keep the damaged file beside, for people; one is enough."""
    with store_errors(path):
        for side in ("", "-wal", "-shm"):
            source = path.with_name(path.name + side)
            if source.exists():
                source.replace(path.with_name(f"{path.name}.damaged{side}"))
        flush_folder(path.parent)
