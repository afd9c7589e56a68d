"""The samples of a whole upload, sorted by point and time, and what follows from that order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud_api.telemetry.columns import Columns, Floats, Integers, Verdict
from cloud_sync.wire.quality import Quality

CHUNK_SPAN_US = 3_600_000_000
"""A chunk never crosses a full hour, so a query knows how far back one can begin."""

RADIX_POINTS = 1 << 16
"""As many points as numpy's radix sort, which takes 16 bits, can tell apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """All samples of one upload, sorted by point, then time, then the order they were sent."""

    ids: list[int]
    """The points that occur, in the order of the samples."""
    points: Integers
    """Index into ``ids`` of each sample."""
    kinds: NDArray[np.uint8]
    """Wire kind of each sample."""
    times: Integers
    values: Floats
    texts: NDArray[np.object_] | None
    verdict: Integers
    verdicts: list[Verdict]

    @property
    def qualities(self) -> NDArray[np.int16]:
        """Quality of each sample."""
        return np.array([quality for quality, _ in self.verdicts], np.int16)[self.verdict]


def gather(batches: Sequence[Columns], ids: Mapping[str, int]) -> Gathered:
    """Join the batches of an upload, in the order they are given."""
    verdicts: dict[Verdict, int] = {}
    dense: dict[int, int] = {}
    points, kinds, verdict = [], [], []
    for batch in batches:
        known = np.array([verdicts.setdefault(v, len(verdicts)) for v in batch.verdicts])
        verdict.append(known[batch.verdict])
        index = np.array([dense.setdefault(ids[key], len(dense)) for key in batch.points])
        points.append(np.repeat(index, batch.counts))
        kinds.append(np.repeat(np.frombuffer(batch.kinds, np.uint8), batch.counts))
    joined = Gathered(
        ids=list(dense),
        points=np.concatenate(points),
        kinds=np.concatenate(kinds),
        times=np.concatenate([batch.times for batch in batches]),
        values=np.concatenate([batch.values for batch in batches]),
        texts=_texts(batches),
        verdict=np.concatenate(verdict),
        verdicts=list(verdicts),
    )
    return _sorted(joined)


def starts_of_chunks(gathered: Gathered) -> Integers:
    """Cut where the point changes or an hour begins; gives the index of each first sample."""
    hours = gathered.times // CHUNK_SPAN_US
    return np.flatnonzero(_changes(gathered.points) | _changes(hours))


def last_of_points(gathered: Gathered) -> Integers:
    """Give the index of the newest sample of each point."""
    return np.append(np.flatnonzero(_changes(gathered.points))[1:], gathered.points.size) - 1


def last_good_of_points(gathered: Gathered) -> Integers:
    """Give the index of the newest good sample of each point, -1 where there is none."""
    starts = np.flatnonzero(_changes(gathered.points))
    good = np.where(gathered.qualities == Quality.GOOD, np.arange(gathered.points.size), -1)
    return np.maximum.reduceat(good, starts)


def _changes(values: Integers) -> NDArray[np.bool_]:
    changed = np.empty(values.size, np.bool_)
    changed[0] = True
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed


def _texts(batches: Sequence[Columns]) -> NDArray[np.object_] | None:
    if all(batch.texts is None for batch in batches):
        return None
    return np.concatenate([
        np.full(batch.times.size, None, np.object_) if batch.texts is None else batch.texts
        for batch in batches
    ])  # fmt: skip


def _sorted(gathered: Gathered) -> Gathered:
    """Sort by point (a radix sort, as they are few), and by time only where that is needed."""
    narrow = np.uint16 if len(gathered.ids) <= RADIX_POINTS else np.int64
    order = np.argsort(gathered.points.astype(narrow), kind="stable")
    times, points = gathered.times[order], gathered.points[order]
    if ((times[1:] < times[:-1]) & (points[1:] == points[:-1])).any():
        order = np.lexsort((gathered.times, gathered.points))
    return Gathered(
        ids=gathered.ids,
        points=gathered.points[order],
        kinds=gathered.kinds[order],
        times=gathered.times[order],
        values=gathered.values[order],
        texts=None if gathered.texts is None else gathered.texts[order],
        verdict=gathered.verdict[order],
        verdicts=gathered.verdicts,
    )
