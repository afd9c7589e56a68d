"""The segments of one stream, oldest first: all closed but the last, which takes new batches."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import Ranges, of_numbers, union
from edge_runtime.durable import flush_folder
from edge_runtime.errors import StoreError
from edge_runtime.outbox import segment as segments
from edge_runtime.outbox.database import store_errors
from edge_runtime.outbox.segment import Meta, Origin, Row, Segment, Total

ROW_OVERHEAD = 64
"""Bytes of a row beside its message, about."""


class Closed(NamedTuple):
    """A segment that takes no more batches."""

    first: int
    total: Total
    size: int

    @property
    def numbers(self) -> Ranges:
        """The numbers from its first to its last."""
        return union([(self.first, self.total.last + 1)])


class Chain:
    """The segments of one stream of one epoch. Blocks; used from the outbox's thread only."""

    def __init__(
        self,
        folder: Path,
        stream: Stream,
        epoch: str,
        *,
        closed: list[Closed],
        active: Segment,
        active_first: int,
        next_seq: int,
        origins: Mapping[str, Origin],
    ) -> None:
        """``origins``: the last batch of every other outbox that was taken into this stream."""
        self.folder = folder
        self.stream = stream
        self.epoch = epoch
        self.closed = closed
        self.next_seq = next_seq
        self._active = active
        self._active_first = active_first
        self._active_bytes = active.message_bytes()
        self.origins = dict(origins)

    @property
    def active_first(self) -> int:
        """First number of the active segment."""
        return self._active_first

    @property
    def active_bytes(self) -> int:
        """Bytes of messages in the active segment."""
        return self._active_bytes

    def append(self, row: Row, origin: Origin | None = None) -> None:
        """Write the next batch durably, with the note where it came from if it was handed over.

        Raises:
            StoreError: nothing was written and the number stays free.

        """
        if origin is None:
            self._active.add(row)
        else:
            self._active.add_from(row, origin)
            self.origins[origin.name] = origin
        self.next_seq = row.seq + 1
        self._active_bytes += len(row.message) + ROW_OVERHEAD

    def adopt(self, origins: Mapping[str, Origin]) -> None:
        """Go on with what was known before this chain was opened.

        Raises:
            StoreError: it could not be noted.

        """
        if any(self.origins.get(name) != origin for name, origin in origins.items()):
            self._active.set_origins(origins.values())
            self.origins.update(origins)

    def skip(self) -> int:
        """Give away the next number without a batch."""
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        return seq

    def skip_to(self, seq: int) -> None:
        """Give away no number below this one any more."""
        self.next_seq = max(self.next_seq, seq)

    def rotate(self, now_us: int) -> None:
        """Begin a new segment, then close the active one.

        In this order, so that a closed segment always has a successor, and a reader that notices
        the closing finds the successor.

        Raises:
            StoreError: the disk is full or failing; the active segment goes on.

        """
        old, first, after = self._active, self._active_first, self.next_seq
        total = old.total_of(first, after)
        meta = Meta(self.stream, self.epoch, after)
        path = segments.path_of(self.folder, after)
        self._active = Segment.create(path, meta, now_us, self.origins.values())
        self._active_first, self._active_bytes = after, 0
        self._tidy()
        try:
            old.finish(first)
        finally:
            old.close()
            self.closed.append(Closed(first, total, segments.size_on_disk(old.path)))

    def numbers(self) -> Ranges:
        """Give all numbers from the first to the last of every segment."""
        active = (self._active_first, self.next_seq)
        return union((r for c in self.closed for r in c.numbers), [active])

    def present(self) -> Ranges:
        """Give the numbers that are really there; walks through segments with holes only.

        One that cannot be walked through counts as whole: the scrub finds what is not there.
        """
        ranges = [(self._active_first, self.next_seq)]
        for closed in self.closed:
            if closed.total.batches == closed.total.last - closed.first + 1:
                ranges.extend(closed.numbers)
                continue
            try:
                ranges.extend(self._walk(closed))
            except StoreError:
                ranges.extend(closed.numbers)
        return union(ranges)

    def _walk(self, closed: Closed) -> Ranges:
        segment = Segment.open_to_read(self.path(closed), still=False)
        try:
            return of_numbers(seq for seq, _, _ in segment.weights(closed.first - 1))
        finally:
            segment.close()

    def path(self, closed: Closed) -> Path:
        """Name a closed segment's file."""
        return segments.path_of(self.folder, closed.first)

    def total_of(self, closed: Closed, numbers: Ranges) -> list[Total]:
        """Sum up parts of a closed segment.

        Raises:
            StoreError: it cannot be read.

        """
        path = self.path(closed)
        segment = Segment.open_to_read(path, still=segments.is_still(path))
        try:
            return [segment.total_of(low, high) for low, high in numbers]
        finally:
            segment.close()

    def message(self, seq: int) -> Row | None:
        """Read one batch, None where there is none.

        Raises:
            StoreError: its segment cannot be read.

        """
        if seq >= self._active_first:
            return self._active.message(seq)
        for closed in self.closed:
            if closed.first <= seq <= closed.total.last:
                path = self.path(closed)
                segment = Segment.open_to_read(path, still=segments.is_still(path))
                try:
                    return segment.message(seq)
                finally:
                    segment.close()
        return None

    def remove(self, closed: Closed) -> None:
        """Unlink a closed segment.

        Raises:
            StoreError: the file system refuses.

        """
        with store_errors(self.folder):
            segments.remove(self.path(closed))
            flush_folder(self.folder)
        self.closed.remove(closed)

    def checkpoint(self) -> None:
        """Shrink the write-ahead log of the active segment, where the disk allows it."""
        with suppress(StoreError):
            self._active.checkpoint()

    def size(self) -> int:
        """Bytes on disk."""
        active = segments.size_on_disk(segments.path_of(self.folder, self._active_first))
        return active + sum(closed.size for closed in self.closed)

    def close(self) -> None:
        """Let go of the files."""
        self._active.close()

    def _tidy(self) -> None:
        """Remove empty side files that a reader kept open when the segment before was closed."""
        for closed in self.closed[-1:]:
            path = self.path(closed)
            if segments.is_still(path):
                segments.remove_side_files(path)
