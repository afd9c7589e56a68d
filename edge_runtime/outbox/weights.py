"""How much a set of batch numbers weighs, without walking through millions of batches."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_runtime.outbox.segment import Total


class Weight(NamedTuple):
    """Batches, samples or events in them, and the first time of the lowest numbered batch."""

    batches: int
    samples: int
    oldest_us: int | None


NOTHING = Weight(0, 0, None)


def add(parts: Iterable[Weight]) -> Weight:
    """Add weights in the order of their numbers."""
    batches = samples = 0
    oldest: int | None = None
    for part in parts:
        batches += part.batches
        samples += part.samples
        oldest = part.oldest_us if oldest is None else oldest
    return Weight(batches, samples, oldest)


class BatchIndex:
    """Running sums over the batches of one segment; grows while the segment does."""

    def __init__(self) -> None:
        self._seqs = array("q")
        self._times = array("q")
        self._sums = array("q", [0])

    @property
    def last(self) -> int:
        """The last number in it, 0 for none."""
        return self._seqs[-1] if self._seqs else 0

    def extend(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Add (number, items, first time) of further batches, ascending."""
        for seq, items, first_us in rows:
            self._seqs.append(seq)
            self._times.append(first_us)
            self._sums.append(self._sums[-1] + items)

    def weigh(self, low: int, high: int) -> Weight:
        """Weigh the numbers from ``low`` to below ``high``."""
        start, stop = bisect_left(self._seqs, low), bisect_left(self._seqs, high)
        if start >= stop:
            return NOTHING
        return Weight(stop - start, self._sums[stop] - self._sums[start], self._times[start])


class SegmentIndex:
    """Running sums over closed segments."""

    def __init__(self, totals: Sequence[tuple[int, Total]]) -> None:
        """Take (first number, totals), ascending."""
        self._totals = [total for _, total in totals]
        self._firsts = array("q", [first for first, _ in totals])
        self._batches = array("q", [0])
        self._items = array("q", [0])
        for total in self._totals:
            self._batches.append(self._batches[-1] + total.batches)
            self._items.append(self._items[-1] + total.items)

    def at(self, seq: int) -> int | None:
        """Find the segment that may hold a number: its first number."""
        place = bisect_right(self._firsts, seq) - 1
        if place < 0 or seq > self._totals[place].last:
            return None
        return self._firsts[place]

    def split(self, low: int, high: int) -> tuple[list[int], Weight, list[int]]:
        """Part a range into segments: one cut at its low end, the whole ones, one cut at its high.

        The cut ones are given by their first number, the whole ones by their weight.
        """
        start = bisect_left(self._firsts, low)
        stop = bisect_left(self._firsts, high)
        before = [self._firsts[start - 1]] if self._reaches(start - 1, low) else []
        after: list[int] = []
        if stop > start and self._totals[stop - 1].last >= high:
            stop -= 1
            after = [self._firsts[stop]]
        if start >= stop:
            return before, NOTHING, after
        whole = Weight(
            self._batches[stop] - self._batches[start],
            self._items[stop] - self._items[start],
            next((t.first_us for t in self._totals[start:stop] if t.batches), None),
        )
        return before, whole, after

    def _reaches(self, place: int, low: int) -> bool:
        return place >= 0 and self._totals[place].last >= low
