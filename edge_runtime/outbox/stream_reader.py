"""One stream of the outbox as the agent sees it: segments come, grow, close and vanish."""

import os
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cloud_sync.wire.batch import Batch, open_batch
from cloud_sync.wire.errors import WireError
from cloud_sync.wire.ranges import Ranges, union
from edge_runtime.errors import StoreDamagedError, StoreError
from edge_runtime.outbox import segment as segments
from edge_runtime.outbox import weights
from edge_runtime.outbox.folder import list_segments, stream_path
from edge_runtime.outbox.segment import Row, Segment, Total
from edge_runtime.outbox.weights import BatchIndex, SegmentIndex, Weight

CUT_SEGMENTS = 4
"""Closed segments of which each batch's weight is remembered."""


class _Active(NamedTuple):
    segment: Segment
    inode: int
    first: int
    version: int


class StreamReader:
    """Reads one stream. Every look is a short read; nothing is locked in between."""

    def __init__(self, root: Path, stream: str) -> None:
        self._root = root
        self._stream = stream
        self._folder = stream_path(root, stream)
        self._active: _Active | None = None
        self._last: int | None = None
        self._growing = BatchIndex()
        self._totals: dict[int, Total] = {}
        self._closed = SegmentIndex([])
        self._cut: OrderedDict[int, BatchIndex] = OrderedDict()
        self._open: tuple[int, Segment] | None = None
        self._numbers: Ranges = ()

    def look(self) -> bool:
        """Notice what the writer did since the last look; microseconds when nothing."""
        try:
            return self._look()
        except StoreError:
            self.close()
            return True

    def numbers(self) -> Ranges:
        """Give all numbers in segments, as of the last look."""
        return self._numbers

    def read(self, seq: int, epoch: str) -> tuple[Row, Batch] | None:
        """Read and verify one batch; None where it is not there (any more).

        Raises:
            StoreDamagedError: the batch does not verify, or its segment is damaged.

        """
        try:
            segment = self._segment_of(seq)
            row = None if segment is None else segment.message(seq)
        except StoreDamagedError:
            raise
        except StoreError:
            return None
        if row is None:
            return None
        try:
            batch = open_batch(row.message)
        except WireError as exc:
            raise StoreDamagedError(str(exc)) from exc
        if (batch.stream, batch.epoch, batch.seq) != (self._stream, epoch, seq):
            return None  # of another epoch: what was asked for is not there
        return row, batch

    def weigh(self, ranges: Ranges) -> Weight:
        """Weigh numbers, as of the last look."""
        return weights.add(part for low, high in ranges for part in self._weigh(low, high))

    def close(self) -> None:
        """Let go of all files and forget them."""
        if self._active is not None:
            self._active.segment.close()
        self._close_closed()
        self._active = None
        self._last = None
        self._numbers = ()

    def _look(self) -> bool:
        active = self._active
        if active is None:
            return self._list()
        if _inode(active.segment.path) != active.inode:
            self.close()
            self._list()
            return True
        version = active.segment.version()
        if version == active.version:
            return False
        self._active = active._replace(version=version)
        if active.segment.total(active.first) is not None:
            self.close()
            self._list()
        else:
            self._grow(active.segment)
        return True

    def _list(self) -> bool:
        """List the segments anew and open the newest."""
        firsts = list_segments(self._root, self._stream)
        if not firsts:
            return False
        self._totals = {f: t for f, t in self._totals.items() if f in set(firsts[:-1])}
        closed: list[tuple[int, Total]] = []
        for first, follower in pairwise(firsts):
            total = self._total(first, follower)
            if total is not None:
                closed.append((first, total))
        self._closed = SegmentIndex(closed)
        path = segments.path_of(self._folder, firsts[-1])
        inode = _inode(path)
        segment = Segment.open_to_read(path, still=False)
        self._active = _Active(segment, inode, firsts[-1], segment.version())
        self._growing = BatchIndex()
        self._grow(segment)
        return True

    def _grow(self, segment: Segment) -> None:
        self._growing.extend(segment.weights(self._growing.last))
        self._last = self._growing.last or None
        self._recount()

    def _recount(self) -> None:
        closed = [(first, total.last + 1) for first, total in self._totals.items()]
        active = self._active
        growing = [(active.first, self._last + 1)] if active and self._last else []
        self._numbers = union(closed, growing)

    def _total(self, first: int, follower: int) -> Total | None:
        """Read a closed segment's totals once; None where it vanished or cannot be read."""
        known = self._totals.get(first)
        if known is not None:
            return known
        path = segments.path_of(self._folder, first)
        try:
            segment = Segment.open_to_read(path, still=segments.is_still(path))
        except StoreError:
            return None
        try:
            total = _read_total(segment, first, follower)
        except StoreError:
            return None
        finally:
            segment.close()
        self._totals[first] = total
        return total

    def _segment_of(self, seq: int) -> Segment | None:
        if self._active is not None and seq >= self._active.first:
            return self._active.segment
        first = self._closed.at(seq)
        if first is None:
            return None
        if self._open is not None and self._open[0] == first:
            return self._open[1]
        self._close_closed()
        path = segments.path_of(self._folder, first)
        segment = Segment.open_to_read(path, still=segments.is_still(path))
        self._open = (first, segment)
        return segment

    def _close_closed(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _weigh(self, low: int, high: int) -> list[Weight]:
        before, whole, after = self._closed.split(low, high)
        return [
            *(self._index_of(first).weigh(low, high) for first in before),
            whole,
            *(self._index_of(first).weigh(low, high) for first in after),
            self._growing.weigh(low, high),
        ]

    def _index_of(self, first: int) -> BatchIndex:
        """Give the running sums of a closed segment that a range cuts in two."""
        index = self._cut.pop(first, None) or BatchIndex()
        if not index.last:
            try:
                segment = self._segment_of(first)
                index.extend(segment.weights(0) if segment else [])
            except StoreError:
                return index
        self._cut[first] = index
        while len(self._cut) > CUT_SEGMENTS:
            self._cut.popitem(last=False)
        return index


def _read_total(segment: Segment, first: int, follower: int) -> Total:
    """Read a closed segment's totals; count where they are not there, or cannot be right."""
    try:
        total = segment.total(first, follower)
    except StoreDamagedError:
        total = None
    return total or segment.total_of(first, follower)


def _inode(path: Path) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - called many times a second
    except FileNotFoundError:
        return 0
