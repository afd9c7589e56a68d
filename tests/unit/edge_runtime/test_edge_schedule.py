import itertools
import random

import pytest

from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Point
from edge_runtime.schedule import groups_of, next_due, phase, retry_delay, take_turn


@pytest.fixture
def groups():
    points = (Point(name="fast"), Point(name="slow", interval_s=3), Point(name="quick"))
    return groups_of(DeviceSettings(name="d", interval_s=1, points=points), start=100.0)


def test_points_are_grouped_by_interval(groups):
    assert [(g.interval_s, g.points) for g in groups] == [(1, ("fast", "quick")), (3, ("slow",))]


def test_groups_that_fall_due_together_are_read_together(groups):
    turns = [set(take_turn(groups, next_due(groups)).points) for _ in range(4)]
    assert turns == [
        {"fast", "quick", "slow"},
        {"fast", "quick"},
        {"fast", "quick"},
        {"fast", "quick", "slow"},
    ]


def test_deadlines_do_not_drift_when_reads_are_late(groups):
    for second in range(50):
        take_turn(groups, 100.0 + second + 0.3)
    assert next_due(groups) == 150.0


def test_missed_deadlines_are_skipped_and_counted(groups):
    take_turn(groups, 100.0)
    turn = take_turn(groups, 104.5)
    assert (turn.late_s, turn.missed) == (3.5, 3)
    assert next_due(groups) == 105.0


def test_first_reads_are_spread_over_the_interval():
    phases = sorted(phase(i, 1.0) for i in range(10))
    gaps = [b - a for a, b in itertools.pairwise(phases)]
    assert max(gaps) < 0.2
    assert phases[0] == 0.0


def test_the_first_read_of_a_slow_device_does_not_wait_for_its_interval():
    assert max(phase(i, 3600) for i in range(100)) <= 5.0


@pytest.mark.parametrize(("failures", "low", "high"), [(1, 0.1, 1), (3, 0.4, 4), (60, 6, 60)])
def test_retries_back_off_with_jitter_and_a_cap(failures, low, high):
    delays = [retry_delay(failures, random.Random(seed)) for seed in range(200)]
    assert low <= min(delays) < max(delays) <= high
    assert max(delays) > 0.9 * high
