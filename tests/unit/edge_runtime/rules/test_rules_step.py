import pytest

from edge_runtime.model import Quality
from edge_runtime.rules.step import is_pending, revived

OUTLET = "{above: 6.0 bar, clear_below: 5.6, for_s: 5}"


def test_a_limit_raises_and_clears(play):
    high = play("{above: 6.0}")
    assert [high.read(t, v) for t, v in enumerate([5.9, 6.0, 6.1, 6.2, 6.0])] == [
        [], [], ["raised"], [], ["cleared"],
    ]  # fmt: skip


def test_hysteresis_keeps_the_alert_between_the_limits(play):
    high = play("{above: 6.0, clear_below: 5.6}")
    assert [high.read(t, v) for t, v in enumerate([6.1, 5.8, 6.1, 5.6, 5.59])] == [
        ["raised"], [], [], [], ["cleared"],
    ]  # fmt: skip


def test_below_is_the_mirror_of_above(play):
    low = play("{below: 1.0, clear_above: 1.4}")
    assert [low.read(t, v) for t, v in enumerate([1.0, 0.9, 1.2, 1.4, 1.5])] == [
        [], ["raised"], [], [], ["cleared"],
    ]  # fmt: skip


def test_it_must_hold_for_the_duration(play):
    high = play(OUTLET)
    assert [high.read(t, 6.2) for t in range(7)] == [[], [], [], [], [], ["raised"], []]


def test_a_break_starts_the_duration_anew(play):
    high = play(OUTLET)
    high.read(0, 6.2)
    high.read(4, 5.0)
    high.read(5, 6.2)
    assert high.read(9.9, 6.2) == []
    assert high.read(10, 6.2) == ["raised"]


def test_time_alone_completes_the_duration(play):
    high = play(OUTLET)
    high.read(0, 6.2)
    assert is_pending(high.state)
    assert high.tick(4.9) == []
    assert high.tick(5.0) == ["raised"]
    assert not is_pending(high.state)


def test_a_bad_reading_neither_raises_nor_clears(play):
    high = play("{above: 6.0}")
    assert high.bad(0) == []
    high.read(1, 6.5)
    assert high.bad(2) == []
    assert high.state.alert == "1"
    assert high.read(3, 5.0) == ["cleared"]


def test_time_without_a_trusted_value_does_not_count(play):
    high = play(OUTLET)
    high.read(0, 6.2)
    high.bad(2)
    assert high.tick(100) == []
    high.read(101, 6.2)
    assert high.tick(105.9) == []
    assert high.tick(106) == ["raised"]


def test_a_raised_alert_with_duration_stays_through_a_bad_reading(play):
    high = play(OUTLET)
    high.read(0, 6.2)
    high.tick(5)
    high.bad(6)
    assert high.read(7, 6.2) == []
    assert high.read(8, 5.0) == ["cleared"]


def test_an_uncertain_value_counts(play):
    high = play("{above: 6.0}")
    assert high.read(0, 10.0, quality=Quality.UNCERTAIN) == ["raised"]


def test_a_wall_clock_set_back_restarts_the_duration(play):
    high = play(OUTLET)
    high.read(3600, 6.2)
    high.read(10, 6.2)
    assert high.tick(14.9) == []
    assert high.tick(15) == ["raised"]


def test_all_needs_every_branch(play):
    dry = play("{all: [{below: 0.5}, {point: pump/state, is: running}]}")
    assert dry.read(0, 0.1) == []
    assert dry.read(1, 1, "pump/state") == ["raised"]
    assert dry.read(2, 0, "pump/state") == ["cleared"]


def test_all_is_false_when_one_branch_is_false_and_another_unknown(play):
    dry = play("{all: [{below: 0.5}, {point: pump/running, is: true}]}")
    dry.read(0, 0.1)
    dry.read(1, True, "pump/running")
    dry.bad(2, "pump/running")
    assert dry.read(3, 2.0) == ["cleared"]


def test_any_needs_one_branch(play):
    either = play("{any: [{above: 6.0}, {point: pump/running, is: false}]}")
    assert either.read(0, 7.0) == ["raised"]
    assert either.read(1, True, "pump/running") == []
    assert either.read(2, 5.0) == ["cleared"]


def test_not_turns_around_but_keeps_unknown(play):
    idle = play("{not: {point: pump/running, is: true}, for_s: 2}")
    assert idle.tick(10) == []
    idle.read(11, False, "pump/running")
    assert idle.tick(13) == ["raised"]


@pytest.mark.parametrize(
    ("condition", "point", "value"),
    [
        ("{point: pump/state, is: running}", "pump/state", 1),
        ("{point: pump/running, is: false}", "pump/running", False),
        ("{point: pump/starts, is: 7}", "pump/starts", 7),
        ("{point: pump/serial, is: AB1}", "pump/serial", "AB1"),
    ],
)
def test_is_compares_each_kind(play, condition, point, value):
    assert play(condition).read(0, value, point) == ["raised"]


def test_after_a_restart_an_alert_is_not_raised_twice_and_clears(play):
    high = play(OUTLET)
    high.read(0, 6.2)
    high.tick(5)
    high.state = revived(high.state)
    assert high.tick(100) == []
    assert high.read(101, 5.8) == []
    assert high.read(102, 5.0) == ["cleared"]


def test_after_a_restart_a_running_duration_starts_anew(play):
    high = play(OUTLET)
    high.read(0, 6.2)
    high.state = revived(high.state)
    high.read(4, 6.2)
    assert high.tick(8.9) == []
    assert high.tick(9) == ["raised"]
