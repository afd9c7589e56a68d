"""Which chunks are joined, and how often a sample is written again."""

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.telemetry.merging.plan import (
    ARRIVED,
    JOINED,
    MAX_WEIGHT,
    WHOLE,
    Join,
    Piece,
    largest_doubled,
    plan_joins,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def piece(minute, count, tier=ARRIVED):
    return Piece(NOON + timedelta(minutes=minute), count, count, tier)


def at(minute):
    return NOON + timedelta(minutes=minute)


def test_while_the_hour_runs_only_what_arrived_is_joined():
    pieces = [piece(0, 60, JOINED), piece(1, 1), piece(2, 1), piece(3, 500, WHOLE)]
    assert plan_joins(pieces, over=False) == [Join(at(1), at(2), JOINED, 0, 2)]


def test_once_it_is_over_all_of_it_becomes_one():
    pieces = [piece(0, 60, JOINED), piece(1, 60, JOINED), piece(2, 1)]
    assert plan_joins(pieces, over=True) == [Join(at(0), at(2), WHOLE, 0, 121)]


def test_late_data_leaves_a_larger_chunk_alone_and_takes_one_that_it_doubles():
    late = piece(5, 10)
    assert plan_joins([piece(0, 11, WHOLE), late], over=True)[0].weight == 10
    assert plan_joins([piece(0, 10, WHOLE), late], over=True)[0].weight == 20


def test_hour_that_is_joined_needs_nothing():
    assert plan_joins([piece(0, 100, WHOLE), piece(1, 3, WHOLE)], over=True) == []


def test_joined_chunks_are_not_too_heavy():
    third = MAX_WEIGHT // 3 + 1
    joins = plan_joins([piece(i, third) for i in range(6)], over=True)
    assert [(join.low, join.high) for join in joins] == [(at(i), at(i + 1)) for i in (0, 2, 4)]


def test_chunk_that_is_too_heavy_already_is_taken_alone():
    joins = plan_joins([piece(0, 2 * MAX_WEIGHT), piece(1, 5)], over=True)
    assert [join.weight for join in joins] == [2 * MAX_WEIGHT, 5]


def test_full_chunk_is_not_written_again():
    pieces = [piece(0, MAX_WEIGHT // 2 + 1, WHOLE), piece(1, MAX_WEIGHT)]
    assert [join.low for join in plan_joins(pieces, over=True)] == [at(1)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=300))
def test_late_data_is_written_again_log2_times_and_leaves_log2_chunks(arrivals):
    chunks, written = [], 0
    for arrived in arrivals:
        largest = largest_doubled(arrived, chunks)
        joined = arrived + sum(count for count in chunks if count <= largest)
        chunks = [count for count in chunks if count > largest] + [joined]
        written += joined
    total = sum(arrivals)
    assert sum(chunks) == total
    assert len(chunks) <= math.log2(total) + 1
    assert written <= total * (math.log2(total) + 1)
