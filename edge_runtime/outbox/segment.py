"""One segment file: its SQL, and what it is asked for.

A segment holds batches of one stream and one epoch with numbers from ``first`` on. A closed one has
its totals written down, so that nobody needs to walk through it to know them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from edge_runtime.durable import flush_folder
from edge_runtime.errors import StoreDamagedError, StoreError
from edge_runtime.outbox import database

PAGE_SIZE = 1024
"""Small pages: a third fewer bytes are written to flash than with 4096, and less stays unused."""
DIGITS = 20
MAX_NUMBER = (1 << 63) - 1
"""SQLite's highest."""
SUFFIX = ".db"
SIDE_FILES = ("-wal", "-shm")

_CREATE = """
BEGIN IMMEDIATE;
CREATE TABLE meta (
    stream TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER NOT NULL, created_us INTEGER NOT NULL
);
CREATE TABLE batch (
    seq INTEGER PRIMARY KEY, items INTEGER NOT NULL, first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL, message BLOB NOT NULL
);
CREATE TABLE total (
    last INTEGER NOT NULL, batches INTEGER NOT NULL, items INTEGER NOT NULL,
    first_us INTEGER, last_us INTEGER
);
"""
_SET_META = "INSERT INTO meta VALUES (?, ?, ?, ?)"
_GET_META = "SELECT stream, epoch, first FROM meta"
_ADD = "INSERT INTO batch (seq, items, first_us, last_us, message) VALUES (?, ?, ?, ?, ?)"
_LAST = "SELECT max(seq) FROM batch"
_SUM = """
SELECT count(*), coalesce(sum(CAST(items AS INTEGER)), 0), min(CAST(first_us AS INTEGER)),
    max(CAST(last_us AS INTEGER))
FROM batch WHERE seq >= ? AND seq < ?
"""
"""Casts: in a damaged row any column may hold any type."""
_BYTES = "SELECT coalesce(sum(length(message)), 0) FROM batch"
_SET_TOTAL = """
INSERT INTO total (last, batches, items, first_us, last_us)
SELECT coalesce(max(seq), ?), count(*), coalesce(sum(CAST(items AS INTEGER)), 0),
    min(CAST(first_us AS INTEGER)), max(CAST(last_us AS INTEGER))
FROM batch
"""
_GET_TOTAL = "SELECT last, batches, items, first_us, last_us FROM total"
_MAKE_ORIGINS = """
CREATE TABLE IF NOT EXISTS origin (name TEXT PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL)
"""
_HAS_ORIGINS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'origin'"
_SET_ORIGIN = """
INSERT INTO origin VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq
"""
_GET_ORIGINS = "SELECT name, CAST(epoch AS TEXT), CAST(seq AS INTEGER) FROM origin"
_MESSAGE = "SELECT items, first_us, last_us, message FROM batch WHERE seq = ?"
_ROWS = """
SELECT seq, coalesce(CAST(items AS INTEGER), 0), coalesce(CAST(first_us AS INTEGER), 0)
FROM batch WHERE seq > ? ORDER BY seq
"""
_FORWARD = "SELECT message FROM batch ORDER BY seq"
_BACKWARD = "SELECT message FROM batch ORDER BY seq DESC"


class Row(NamedTuple):
    """One batch as it is written: ``message`` is the sealed batch."""

    seq: int
    items: int
    first_us: int
    last_us: int
    message: bytes


class Origin(NamedTuple):
    """The batch of another outbox that was taken last: of an adapter, by its own epoch and number."""

    name: str
    epoch: str
    seq: int


class Total(NamedTuple):
    """What a segment, or a part of it, holds; ``last`` is the last number, 0 for none."""

    last: int
    batches: int
    items: int
    first_us: int | None
    last_us: int | None


class Meta(NamedTuple):
    """To whom a segment belongs."""

    stream: str
    epoch: str
    first: int


def path_of(folder: Path, first: int) -> Path:
    """Name the segment that begins with this number."""
    return folder / f"{first:0{DIGITS}d}{SUFFIX}"


def first_of(name: str) -> int | None:
    """Read a segment's first number from its file name, None for any other file."""
    stem = name.removesuffix(SUFFIX)
    if stem == name or len(stem) != DIGITS or not stem.isdecimal():
        return None
    return int(stem)


def remove(path: Path) -> None:
    """Unlink a segment and what SQLite keeps beside it."""
    path.unlink(missing_ok=True)
    remove_side_files(path)


def remove_side_files(path: Path) -> None:
    """Unlink the write-ahead log and its index; only where they are empty or the file is gone."""
    for side in SIDE_FILES:
        path.with_name(path.name + side).unlink(missing_ok=True)


def size_on_disk(path: Path) -> int:
    """Bytes of a segment with its write-ahead log."""
    total = 0
    for side in ("", "-wal"):
        try:
            total += path.with_name(path.name + side).stat().st_size
        except FileNotFoundError:
            continue
    return total


def is_still(path: Path) -> bool:
    """Tell whether all of a closed segment is in its file, none in a write-ahead log."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size == 0
    except FileNotFoundError:
        return True


@contextmanager
def closed_on_error(segment: "Segment") -> Iterator[None]:
    """Let go of a segment that cannot be handed on after all."""
    try:
        yield
    except BaseException:
        segment.close()
        raise


class Segment:
    """An open segment. The writer has exactly one a stream open; readers open as they need."""

    def __init__(self, path: Path, connection: database.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def create(
        cls, path: Path, meta: Meta, created_us: int, origins: Iterable[Origin] = ()
    ) -> "Segment":
        """Make a new segment file: complete under another name, then renamed.

        ``origins`` go with it, so that the newest segment knows what every adapter handed over.

        Raises:
            StoreError: the disk is full or failing; no segment is left behind.

        """
        beside = path.with_name(f"{path.name}.new")
        with database.store_errors(path):
            remove(beside)
            try:
                connection = database.open_to_write(beside, page_size=PAGE_SIZE)
                try:
                    connection.executescript(_CREATE)
                    connection.execute(_SET_META, (*meta, created_us))
                    _set_origins(connection, origins)
                    connection.execute("COMMIT")
                finally:
                    connection.close()
                beside.replace(path)
                flush_folder(path.parent)
            except BaseException:
                remove(beside)
                raise
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "Segment":
        """Open an existing segment to write on.

        Raises:
            StoreError: it cannot be opened.

        """
        return cls(path, database.open_to_write(path))

    @classmethod
    def open_to_read(cls, path: Path, *, still: bool) -> "Segment":
        """Open a segment of another process; ``still`` where it changes no more.

        Raises:
            StoreError: it is not there or cannot be opened.

        """
        return cls(path, database.open_to_read(path, still=still))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def meta(self) -> Meta:
        """Tell stream, epoch and first number.

        Raises:
            StoreDamagedError: they are not there.

        """
        with database.store_errors(self.path):
            row = self._connection.execute(_GET_META).fetchone()
        if row is None:
            msg = f"{self.path} does not say what it is"
            raise StoreDamagedError(msg)
        return Meta(*row)

    def check(self, expected: Meta) -> None:
        """Compare a segment with what its place in the outbox promises.

        Raises:
            StoreDamagedError: the file is damaged or belongs elsewhere.

        """
        with database.store_errors(self.path):
            intact = database.is_intact(self._connection)
        if not intact:
            msg = f"{self.path} does not pass SQLite's quick_check"
            raise StoreDamagedError(msg)
        found = self.meta()
        if found != expected:
            msg = f"{self.path} holds {found}, not {expected}"
            raise StoreDamagedError(msg)
        self.total(expected.first)
        self.last()
        self.message_bytes()
        self.message(expected.first)

    def add(self, row: Row) -> None:
        """Write one batch durably: one transaction, flushed.

        Raises:
            StoreError: nothing was written.

        """
        with database.store_errors(self.path):
            self._connection.execute(_ADD, row)

    def add_from(self, row: Row, origin: Origin) -> None:
        """Write one batch that another outbox handed over, and which one it was: both or neither.

        Raises:
            StoreError: nothing was written.

        """
        with self._transaction():
            self._connection.execute(_ADD, row)
            _set_origins(self._connection, [origin])

    def set_origins(self, origins: Iterable[Origin]) -> None:
        """Note what other outboxes handed over before this segment.

        Raises:
            StoreError: nothing was written.

        """
        with self._transaction():
            _set_origins(self._connection, origins)

    def origins(self) -> dict[str, Origin]:
        """Give the last batch of every other outbox that was taken.

        Raises:
            StoreDamagedError: they cannot be read.

        """
        with database.store_errors(self.path):
            if self._connection.execute(_HAS_ORIGINS).fetchone() is None:
                return {}
            rows = self._connection.execute(_GET_ORIGINS).fetchall()
        return {name: Origin(name, epoch, seq) for name, epoch, seq in rows}

    def add_all(self, rows: list[Row]) -> None:
        """Write batches in one transaction.

        Raises:
            StoreError: nothing was written.

        """
        with self._transaction():
            self._connection.executemany(_ADD, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with database.store_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def last(self) -> int | None:
        """Give the highest number, None when empty."""
        with database.store_errors(self.path):
            found = self._connection.execute(_LAST).fetchone()[0]
        return None if found is None else int(found)

    def message_bytes(self) -> int:
        """Sum up the sizes of the messages."""
        with database.store_errors(self.path):
            return int(self._connection.execute(_BYTES).fetchone()[0])

    def total(self, first: int, follower: int = MAX_NUMBER) -> Total | None:
        """Give the totals of a closed segment, None for an open one.

        ``first`` is its first number, ``follower`` the first of the next segment.

        Raises:
            StoreDamagedError: they cannot be the totals of these numbers.

        """
        with database.store_errors(self.path):
            row = self._connection.execute(_GET_TOTAL).fetchone()
        if row is None:
            return None
        if not _can_be(row, first, follower):
            msg = f"{self.path} cannot hold {row}"
            raise StoreDamagedError(msg)
        return Total(*row)

    def total_of(self, low: int, high: int) -> Total:
        """Sum up the batches from ``low`` to below ``high`` by walking through them."""
        with database.store_errors(self.path):
            row = self._connection.execute(_SUM, (low, high)).fetchone()
        return Total(high - 1, *row)

    def message(self, seq: int) -> Row | None:
        """Read one batch, None where there is none."""
        with database.store_errors(self.path):
            row = self._connection.execute(_MESSAGE, (seq,)).fetchone()
        if row is None:
            return None
        if not isinstance(row[-1], bytes):
            msg = f"{self.path} holds no message under number {seq}"
            raise StoreDamagedError(msg)
        return Row(seq, *row)

    def weights(self, after: int) -> list[tuple[int, int, int]]:
        """List (number, items, first time) of the batches after a number."""
        with database.store_errors(self.path):
            return self._connection.execute(_ROWS, (after,)).fetchall()

    def finish(self, first: int) -> None:
        """Write the totals down and move everything from the log into the file."""
        with database.store_errors(self.path):
            if self.total(first) is None:
                self._connection.execute(_SET_TOTAL, (first - 1,))
        self.checkpoint()

    def checkpoint(self) -> None:
        """Move what is in the write-ahead log into the file, so that the log's space is free."""
        with database.store_errors(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def version(self) -> int:
        """Give a number that changes with every commit of the writer."""
        with database.store_errors(self.path):
            return database.data_version(self._connection)

    def salvage(self) -> Iterator[bytes]:
        """Give every message that can still be read, from both ends towards the damage."""
        for query in (_FORWARD, _BACKWARD):
            try:
                with database.store_errors(self.path):
                    for (message,) in self._connection.execute(query):
                        if isinstance(message, bytes):
                            yield message
            except StoreError:
                continue


def _set_origins(connection: database.Connection, origins: Iterable[Origin]) -> None:
    rows = list(origins)
    if rows:
        connection.execute(_MAKE_ORIGINS)
        connection.executemany(_SET_ORIGIN, rows)


def _can_be(row: Sequence[object], first: int, follower: int) -> bool:
    """Tell whether a row holds the totals of a segment: SQLite itself checks neither type nor sum."""
    match row:
        case (int(last), int(batches), int(), int() | None, int() | None):
            return first <= last + 1 <= follower and 0 <= batches <= last + 1 - first
        case _:
            return False
