"""The agent's side of the outbox: what is stored, what it weighs, and the batches themselves.

Nothing here writes. The folder may not be there yet, segments may vanish between two calls, and a
new epoch may begin at any time; none of that is an error.
"""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import Ranges, difference, parse, union
from edge_runtime.errors import StoreDamagedError
from edge_runtime.outbox import folder as files
from edge_runtime.outbox.folder import Account
from edge_runtime.outbox.stream_reader import StreamReader
from edge_runtime.outbox.weights import Weight

__all__ = ["OutboxReader", "StoredBatch", "StreamBooks", "Weight"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One sealed batch, verified; ``message`` is what travels."""

    seq: int
    count: int
    first_us: int
    last_us: int
    message: bytes


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
        self._seen: tuple[object, object] | None = None
        self._epoch = ""
        self._account: Account | None = None
        self._news = False
        self._damaged: dict[str, Ranges] = dict.fromkeys(self._streams, ())

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
        """Give the numbers of all batches that can be sent: neither given up nor damaged."""
        self._look()
        gone = self._account.gone(stream) if self._account else ()
        return difference(self._streams[stream].numbers(), union(gone, self._damaged[stream]))

    def damaged(self, stream: str) -> Ranges:
        """Give the numbers that ``load`` found not to verify; the runtime's scrub gives them up."""
        self._look()
        return self._damaged[stream]

    def load(self, stream: str, numbers: Iterable[int], max_bytes: int) -> list[StoredBatch]:
        """Read and verify batches until the next would go over ``max_bytes``; at least one.

        What left the outbox meanwhile, or does not verify, is left out.
        """
        self._look()
        loaded: list[StoredBatch] = []
        size = 0
        for seq in numbers:
            found = self._read(stream, seq)
            if found is None:
                continue
            size += len(found.message)
            if size > max_bytes and loaded:
                break
            loaded.append(found)
        return loaded

    def weigh(self, stream: str, ranges: Ranges) -> Weight:
        """Weigh stored numbers; quick also for millions.

        As of the last other call, so that it agrees with what ``stored`` or ``books`` gave.
        """
        if self._seen is None:
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

    def _read(self, stream: str, seq: int) -> StoredBatch | None:
        try:
            found = self._streams[stream].read(seq, self._epoch)
        except StoreDamagedError as exc:
            log.error("batch damaged", extra={"stream": stream, "seq": seq, "error": str(exc)})  # noqa: TRY400 - expected kind of damage
            self._damaged[stream] = union(self._damaged[stream], ((seq, seq + 1),))
            return None
        if found is None:
            return None
        row, batch = found
        return StoredBatch(batch.seq, batch.count, batch.first_us, batch.last_us, row.message)

    def _look(self) -> None:
        """Look at the segments first: what is removed after that is in the account already."""
        for stream in self._streams.values():
            self._news |= stream.look()
        seen = (
            _signature(files.epoch_path(self._root)),
            _signature(files.account_path(self._root)),
        )
        if seen == self._seen:
            return
        self._news |= self._seen is not None or seen != (None, None)
        self._seen = seen
        epoch = files.read_epoch(self._root) or ""
        if epoch != self._epoch:
            self._begin(epoch)
        self._account = files.read_account(self._root, self._epoch)

    def _begin(self, epoch: str) -> None:
        """Forget everything of the epoch before."""
        self._epoch = epoch
        self._damaged = dict.fromkeys(self._streams, ())
        for stream in self._streams.values():
            stream.close()
            stream.look()


def _signature(path: Path) -> tuple[int, int] | None:
    """Tell one content of a file that is always replaced, never written in place, from another."""
    try:
        found = os.stat(path)  # noqa: PTH116 - called many times a second
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns
