from edge_runtime.driver import DeviceSettings
from edge_runtime.freshness import Freshness
from edge_runtime.model import Point


def device(**fields):
    points = (Point(name="fast"), Point(name="slow", interval_s=60))
    return DeviceSettings(**{"name": "pump", "interval_s": 2, "points": points, **fields})


def test_the_promise_follows_each_points_interval():
    settings = device(timeout_s=1)
    assert [settings.promised_s(point) for point in settings.points] == [7, 181]


def test_a_promise_can_be_set():
    settings = device(stale_after_s=30)
    assert {settings.promised_s(point) for point in settings.points} == {30}


def test_a_point_expires_once():
    freshness = Freshness(device())
    freshness.begin(0)
    assert freshness.expire(7) == []
    assert freshness.expire(7.1) == ["fast"]
    assert freshness.expire(20) == []
    assert not freshness.deaf


def test_news_end_staleness_and_say_so_with_the_last_point():
    freshness = Freshness(device(stale_after_s=1))
    freshness.begin(0)
    freshness.expire(2)
    assert freshness.deaf
    assert not freshness.heard(["fast"], 3)
    assert freshness.heard(["slow"], 3)
    assert not freshness.stale


def test_of_a_lost_device_no_point_expires_before_it_was_heard():
    freshness = Freshness(device(stale_after_s=1))
    freshness.lose()
    freshness.begin(0)
    assert freshness.expire(5) == []
    freshness.heard(["fast"], 5)
    assert freshness.expire(7) == ["fast"]


def test_the_look_is_frequent_enough_for_the_shortest_promise():
    assert Freshness(device(stale_after_s=0.2)).check_s == 0.1
    assert Freshness(device(stale_after_s=8)).check_s == 2
    assert Freshness(device(stale_after_s=8_000)).check_s == 5


def test_a_promise_runs_on_when_the_device_is_opened_again():
    freshness = Freshness(device(stale_after_s=3))
    freshness.begin(0)
    freshness.heard(["fast", "slow"], 1)
    for again in (2, 3, 4):
        freshness.begin(again)
    assert sorted(freshness.expire(4.1)) == ["fast", "slow"]
