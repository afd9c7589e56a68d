"""The agent's side of the outbox: what is stored, what it weighs, and the batches themselves.

Nothing here writes. The folder may not be there yet, segments may vanish between two calls, and a
new epoch may begin at any time; none of that is an error.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import Ranges, difference, parse
from edge_runtime.errors import StoreDamagedError
from edge_runtime.outbox import folder as files
from edge_runtime.outbox.folder import Account
from edge_runtime.outbox.stream_reader import StreamReader
from edge_runtime.outbox.weights import Weight


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One sealed batch, verified; ``message`` is what travels."""

    seq: int
    count: int
    first_us: int
    last_us: int
    message: bytes


class Loaded(NamedTuple):
    """Batches that verify, in the order asked for, and numbers of those that do not.

    Numbers that are in neither left the outbox meanwhile, or were over ``max_bytes``.
    """

    batches: list[StoredBatch]
    damaged: list[int]


class StreamBooks(NamedTuple):
    """Where every number of a stream is that a batch ever got."""

    stored: Ranges
    pruned: Ranges
    lost: Ranges
    pruned_items: int | None


class OutboxReader:
    """Reads an outbox that another process writes. Not for two threads at once."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened before it is asked for."""
        self._root = folder
        self._streams = {stream.value: StreamReader(folder, stream.value) for stream in Stream}
        self._seen: tuple[object, object] = (None, None)
        self._epoch = ""
        self._account: Account | None = None
        self._news = False

    def changed(self) -> bool:
        """Tell whether anything was committed or removed since the last call; microseconds."""
        self._look()
        news, self._news = self._news, False
        return news

    def epoch(self) -> str:
        """Give the outbox's epoch; empty while there is no outbox."""
        self._look()
        return self._epoch

    def stored(self, stream: str) -> Ranges:
        """Give the numbers of all batches that can be sent."""
        self._look()
        gone = self._account.gone(stream) if self._account else ()
        return difference(self._streams[stream].numbers(), gone)

    def load(self, stream: str, numbers: Iterable[int], max_bytes: int) -> Loaded:
        """Read and verify batches until the next would go over ``max_bytes``; at least one."""
        self._look()
        loaded = Loaded([], [])
        size = 0
        for seq in numbers:
            try:
                found = self._streams[stream].read(seq, self._epoch)
            except StoreDamagedError:
                loaded.damaged.append(seq)
                continue
            if found is None:
                continue
            row, batch = found
            size += len(row.message)
            if size > max_bytes and loaded.batches:
                break
            loaded.batches.append(
                StoredBatch(batch.seq, batch.count, batch.first_us, batch.last_us, row.message)
            )
        return loaded

    def weigh(self, stream: str, ranges: Ranges) -> Weight:
        """Weigh stored numbers; quick also for millions."""
        self._look()
        return self._streams[stream].weigh(ranges)

    def books(self, stream: str) -> StreamBooks:
        """Give the whole account of a stream, for ``verify``."""
        stored = self.stored(stream)
        own = (self._account or Account("", {})).of(stream)
        return StreamBooks(stored, parse(own.pruned), parse(own.lost), own.pruned_items)

    def close(self) -> None:
        """Let go of all files; the next call opens them again."""
        for stream in self._streams.values():
            stream.close()

    def _look(self) -> None:
        seen = (
            _signature(files.epoch_path(self._root)),
            _signature(files.account_path(self._root)),
        )
        if seen != self._seen:
            self._seen = seen
            self._epoch = files.read_epoch(self._root) or ""
            self._account = files.read_account(self._root, self._epoch)
            self._news = True
        for stream in self._streams.values():
            self._news |= stream.look()


def _signature(path: Path) -> tuple[int, int] | None:
    """Tell one content of a file that is always replaced, never written in place, from another."""
    try:
        found = os.stat(path)  # noqa: PTH116 - called many times a second
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


__all__ = ["Loaded", "OutboxReader", "StoredBatch", "StreamBooks", "Weight"]
