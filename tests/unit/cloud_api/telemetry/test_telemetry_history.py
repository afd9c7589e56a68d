"""Folding samples into the buckets of a chart."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.telemetry.history import (
    MAX_BAD_SPANS,
    Series,
    Window,
    bad_spans,
    clip,
    downsample,
    numbers,
)
from cloud_sync.wire.quality import Quality

SECOND = 1_000_000
GOOD, UNCERTAIN, BAD = Quality
WINDOW = Window(0, 100 * SECOND, 10)


def series(*samples):
    """Make a series of (second, value, quality)."""
    times, values, qualities = zip(*samples, strict=True) if samples else ((), (), ())
    return Series(
        np.array(times, np.int64) * SECOND, np.array(values, float), np.array(qualities, np.int64)
    )


def folded(*samples):
    return downsample(clip(series(*samples), WINDOW), WINDOW)


def test_bucket_holds_min_max_mean_last_and_count():
    buckets = folded((10, 4.0, GOOD), (11, 8.0, GOOD), (19, 6.0, UNCERTAIN))
    assert buckets.starts_us.tolist() == [10 * SECOND]
    assert [c[0] for c in (buckets.minimum, buckets.maximum, buckets.mean, buckets.last)] == [
        4,
        8,
        6,
        6,
    ]
    assert buckets.count.tolist() == [3]
    assert buckets.good.tolist() == pytest.approx([2 / 3])


def test_buckets_and_window_are_half_open():
    buckets = folded((-1, 1.0, GOOD), (0, 2.0, GOOD), (10, 3.0, GOOD), (100, 4.0, GOOD))
    assert buckets.starts_us.tolist() == [0, 10 * SECOND]
    assert buckets.last.tolist() == [2, 3]


def test_bad_sample_is_counted_but_is_in_no_value():
    buckets = folded((1, 5.0, GOOD), (2, math.nan, BAD), (50, math.nan, BAD))
    assert buckets.count.tolist() == [2, 1]
    assert numbers(buckets.mean) == [5, None]
    assert (
        numbers(buckets.last) == numbers(buckets.minimum) == numbers(buckets.maximum) == [5, None]
    )
    assert buckets.good.tolist() == [0.5, 0]


def test_text_has_counts_without_values():
    buckets = folded((1, math.nan, GOOD), (2, math.nan, GOOD))
    assert numbers(buckets.mean) == [None]
    assert (buckets.count.tolist(), buckets.good.tolist()) == ([2], [1])


def test_late_samples_find_their_place():
    buckets = folded((25, 3.0, GOOD), (5, 1.0, GOOD), (15, 2.0, GOOD))
    assert buckets.starts_us.tolist() == [0, 10 * SECOND, 20 * SECOND]
    assert buckets.last.tolist() == [1, 2, 3]


def test_nothing_gives_no_buckets():
    assert folded().count.tolist() == []


samples = st.tuples(
    st.integers(-5, 105), st.floats(-1e6, 1e6), st.sampled_from([GOOD, UNCERTAIN, BAD])
)


@given(st.lists(samples, max_size=60))
def test_buckets_agree_with_counting_by_hand(rows):
    buckets = folded(*rows)
    expected: dict[int, list] = {}
    for second, value, quality in sorted(rows, key=lambda row: row[0]):
        if 0 <= second < 100:
            expected.setdefault(second // 10, []).append((value, quality))
    assert buckets.starts_us.tolist() == [i * 10 * SECOND for i in expected]
    for i, inside in enumerate(expected.values()):
        usable = [value for value, quality in inside if quality is not BAD]
        assert buckets.count[i] == len(inside)
        assert numbers(buckets.last)[i] == (usable[-1] if usable else None)
        assert numbers(buckets.minimum)[i] == (min(usable) if usable else None)
        assert numbers(buckets.maximum)[i] == (max(usable) if usable else None)


def test_bad_stretch_lasts_until_the_next_usable_sample():
    bad = series(
        (1, 1, GOOD), (2, math.nan, BAD), (3, math.nan, BAD), (7, 1, GOOD), (9, math.nan, BAD)
    )
    assert bad_spans(bad) == [(2 * SECOND, 7 * SECOND), (9 * SECOND, 9 * SECOND)]


def test_bad_stretches_are_bounded():
    flicker = series(*((i, 1.0, BAD if i % 2 else GOOD) for i in range(4 * MAX_BAD_SPANS)))
    spans = bad_spans(flicker)
    assert len(spans) == MAX_BAD_SPANS
    assert spans[-1][1] == (4 * MAX_BAD_SPANS - 1) * SECOND
