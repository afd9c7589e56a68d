"""The runtime's side of the inbox."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cloud_sync.wire.downlink import Document
from cloud_sync.wire.ranges import Ranges
from edge_runtime.errors import StoreError
from edge_runtime.inbox import database
from edge_runtime.inbox.database import Connection, read_ranges, store_errors

_document = msgspec.json.Decoder(Document)

log = logging.getLogger(__name__)


class InboxReader:
    """Reads an inbox that the agent writes; one that is not there yet, or damaged, is empty."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened before it is asked for."""
        self._path = database.path_of(folder)
        self._connection: Connection | None = None
        self._inode = 0
        self._version: int | None = None

    def changed(self) -> bool:
        """Tell whether anything was written since the last call; microseconds."""
        version = self._look()
        changed = version != self._version
        self._version = version
        return changed

    def acknowledged(self) -> Mapping[tuple[str, str], Ranges]:
        """Give the numbers that the cloud has, by (stream, epoch)."""
        rows = self._rows(database.ALL_RANGES, ())
        return {(stream, epoch): read_ranges(ranges) for stream, epoch, ranges in rows}

    def documents(self, after: int = 0, limit: int = 100) -> list[tuple[int, Document]]:
        """List documents with their place, in the order they came, after a place.

        Places start anew where the inbox did; a document's ``id`` tells whether it was done. One
        that is damaged is left out: nothing answers it, so the cloud sees it expire.
        """
        while rows := self._rows(database.DOCUMENTS, (after, limit)):
            found = [(place, _read_document(place, content)) for place, content in rows]
            readable = [(place, document) for place, document in found if document is not None]
            if readable:
                return readable
            after = rows[-1][0]
        return []

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _look(self) -> int | None:
        """Follow the file, and give the version of its content; None where there is none."""
        try:
            inode = os.stat(self._path).st_ino  # noqa: PTH116 - called many times a second
        except FileNotFoundError:
            self.close()
            return None
        try:
            if self._connection is None or inode != self._inode:
                self.close()
                self._connection = database.open_to_read(self._path)
                self._inode = inode
                self._version = None
            with store_errors(self._path):
                return database.data_version(self._connection)
        except StoreError:
            self.close()
            return None

    def _rows(self, query: str, values: tuple[int, ...]) -> list[tuple[Any, ...]]:
        self._look()
        if self._connection is None:
            return []
        try:
            with store_errors(self._path):
                return self._connection.execute(query, values).fetchall()
        except StoreError:
            self.close()
            return []


def _read_document(place: int, content: bytes) -> Document | None:
    try:
        return _document.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        log.error("document damaged", extra={"place": place, "error": str(exc)})  # noqa: TRY400 - expected kind of damage
        return None
