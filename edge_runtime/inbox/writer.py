"""The agent's side of the inbox."""

from pathlib import Path

import msgspec

from cloud_sync.wire.downlink import Document
from cloud_sync.wire.ranges import Ranges, render, union
from cloud_sync.wire.version import MAX_DOCUMENT_BYTES
from edge_runtime.clock import Clock
from edge_runtime.errors import StoreError, StoreFullError
from edge_runtime.inbox import database
from edge_runtime.inbox.database import read_ranges, store_errors

MAX_DOCUMENTS = 1_000


class InboxWriter:
    """An inbox to write on. Blocks for a flush to disk a call; not for two threads at once."""

    def __init__(self, folder: Path, clock: Clock, *, max_documents: int = MAX_DOCUMENTS) -> None:
        """Open the inbox in a folder, or make one.

        A damaged one is begun anew: the cloud acknowledges again what is sent again.

        Raises:
            StoreError: the disk is full or failing.

        """
        self._path = database.path_of(folder)
        self._clock = clock
        self._max_documents = max_documents
        self._connection, _ = database.open_sound(self._path, database.INBOX_SCHEMA)

    def acknowledge(self, stream: str, epoch: str, ranges: Ranges) -> None:
        """Note durably that the cloud has these numbers.

        Raises:
            StoreError: nothing was noted.

        """
        known = self.acknowledged(stream, epoch)
        merged = union(known, ranges)
        if merged != known:
            with store_errors(self._path):
                row = (stream, epoch, render(merged))
                self._connection.execute(database.SET_RANGES, row)

    def acknowledged(self, stream: str, epoch: str) -> Ranges:
        """Give the numbers that the cloud has."""
        with store_errors(self._path):
            row = self._connection.execute(database.GET_RANGES, (stream, epoch)).fetchone()
        return () if row is None else read_ranges(row[0])

    def put(self, document: Document) -> bool:
        """Store a document durably. False where it is there already.

        Raises:
            StoreFullError: too many documents are not expired yet.
            StoreError: too large, or the disk is full or failing.

        """
        content = msgspec.json.encode(document)
        if len(content) > MAX_DOCUMENT_BYTES:
            msg = (
                f"document {document.id} has {len(content)} bytes, {MAX_DOCUMENT_BYTES} are allowed"
            )
            raise StoreError(msg)
        with store_errors(self._path):
            if self._connection.execute(database.HAS_DOCUMENT, (document.id,)).fetchone():
                return False
            self._make_room()
            row = (document.id, document.not_after_us, content)
            return self._connection.execute(database.ADD_DOCUMENT, row).rowcount == 1

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _make_room(self) -> None:
        """Drop the oldest expired documents where there are too many."""
        count = self._connection.execute(database.COUNT_DOCUMENTS).fetchone()[0]
        over = count + 1 - self._max_documents
        if over <= 0:
            return
        now = self._clock.wall_us()
        if self._connection.execute(database.DROP_EXPIRED, (now, over)).rowcount < over:
            msg = f"the inbox holds {self._max_documents} documents that are not expired"
            raise StoreFullError(msg, hint="issue fewer commands, or with a shorter validity")
