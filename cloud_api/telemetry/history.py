"""From chunks to a chart: one value series folded into buckets, with numpy and without SQL."""

from dataclasses import dataclass

import numpy as np

from cloud_api.telemetry.columns import Floats, Integers
from cloud_sync.wire.quality import Quality

MIN_BUCKETS = 10
MAX_BUCKETS = 4000
MAX_BAD_SPANS = 500
"""A chart shows no more; further bad stretches are joined with the last one."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time, [start, end) in µs since 1970, cut into equal buckets."""

    start_us: int
    end_us: int
    buckets: int

    @property
    def width_us(self) -> float:
        """Width of one bucket."""
        return (self.end_us - self.start_us) / self.buckets


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Samples of one point: times in µs ascending, NaN where there is no number."""

    times: Integers
    values: Floats
    qualities: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """The buckets that hold a sample. ``minimum`` to ``last`` are NaN where none is usable."""

    starts_us: Integers
    minimum: Floats
    maximum: Floats
    mean: Floats
    last: Floats
    count: Integers
    good: Floats
    """Share of the samples that are good, 0 to 1."""


def clip(series: Series, window: Window) -> Series:
    """Keep what lies in the window, in order of time; samples of equal time stay as they came."""
    times = series.times
    inside = (times >= window.start_us) & (times < window.end_us)
    times, values, qualities = times[inside], series.values[inside], series.qualities[inside]
    if times.size > 1 and (np.diff(times) < 0).any():
        order = np.argsort(times, kind="stable")
        times, values, qualities = times[order], values[order], qualities[order]
    return Series(times, values, qualities)


def downsample(series: Series, window: Window) -> Buckets:
    """Fold a clipped series into the buckets of a window.

    A bad sample counts in ``count`` and lowers ``good``, but is in none of the values.
    """
    if series.times.size == 0:
        nothing = np.empty(0)
        none = np.empty(0, np.int64)
        return Buckets(none, nothing, nothing, nothing, nothing, none, nothing)
    index = ((series.times - window.start_us) / window.width_us).astype(np.int64)
    index = np.minimum(index, window.buckets - 1)
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    usable = np.isfinite(series.values) & (series.qualities != Quality.BAD)
    number = np.add.reduceat(usable, starts, dtype=np.int64)
    count = np.diff(starts, append=index.size)
    newest = np.maximum.reduceat(np.where(usable, np.arange(index.size), -1), starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.add.reduceat(np.where(usable, series.values, 0.0), starts) / number
    return Buckets(
        starts_us=window.start_us + np.rint(index[starts] * window.width_us).astype(np.int64),
        minimum=_or_nan(np.minimum.reduceat(np.where(usable, series.values, np.inf), starts)),
        maximum=_or_nan(np.maximum.reduceat(np.where(usable, series.values, -np.inf), starts)),
        mean=_or_nan(mean),
        last=np.where(newest >= 0, series.values[newest], np.nan),
        count=count,
        good=np.add.reduceat(series.qualities == Quality.GOOD, starts, dtype=np.int64) / count,
    )


def bad_spans(series: Series) -> list[tuple[int, int]]:
    """Find the stretches without a usable value, each up to the next sample that has one."""
    bad = np.concatenate(([False], series.qualities == Quality.BAD, [False])).astype(np.int8)
    turns = np.diff(bad)
    starts, ends = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)
    if starts.size == 0:
        return []
    froms, tos = series.times[starts], series.times[np.minimum(ends, series.times.size - 1)]
    pairs = list(zip(froms.tolist(), tos.tolist(), strict=True))
    if len(pairs) > MAX_BAD_SPANS:
        pairs = [*pairs[: MAX_BAD_SPANS - 1], (pairs[MAX_BAD_SPANS - 1][0], pairs[-1][1])]
    return pairs


def numbers(values: Floats) -> list[float | None]:
    """Give a column for JSON, which knows no NaN."""
    listed: list[float | None] = values.tolist()
    for i in np.flatnonzero(~np.isfinite(values)).tolist():
        listed[i] = None
    return listed


def _or_nan(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
