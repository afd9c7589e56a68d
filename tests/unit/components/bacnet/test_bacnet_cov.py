"""What is due with subscriptions, and what a look at values tells."""

from itertools import count

import pytest

from components.bacnet.cov import Book, increments_of, watched_of
from components.bacnet.messages import Ref
from components.bacnet.settings import Settings

LIFETIME_S, CONFIRM_S = 100, 10


def book(*objects, **fields):
    points = [{"name": f"p{n}", "object": o} | fields for n, o in enumerate(objects)]
    settings = Settings(
        name="device", host="192.0.2.1", points=points, cov_lifetime_s=LIFETIME_S,
        confirm_s=CONFIRM_S,
    )  # fmt: skip
    found = Book(settings, watched_of(settings.points, count(1)))
    found.begin(0.0)
    return found


@pytest.fixture
def two():
    return book("analog-input,1", "binary-input,1")


def settle(book, now=0.0):
    while (turn := book.next_turn(now)) and turn.watched:
        book.accepted(turn.watched, now)


def test_everything_is_subscribed_first(two):
    settle(two)
    assert two.settled
    assert len(two.active) == 2
    assert two.wait_s(0.0) == CONFIRM_S


def test_subscription_is_renewed_at_half_of_its_lifetime(two):
    settle(two)
    two.looked(LIFETIME_S / 2 - 1)
    assert two.next_turn(LIFETIME_S / 2 - 1) is None
    assert two.next_turn(LIFETIME_S / 2).watched is two.watched[0]


def test_sign_of_life_comes_before_renewing(two):
    settle(two)
    assert two.next_turn(LIFETIME_S).watched is None


def test_refused_is_asked_again_after_a_while(two):
    two.was_refused(two.watched[0], 0.0)
    settle(two)
    assert [w.names for w in two.active] == [("p1",)]
    assert two.settled
    two.looked(599.0)
    settle(two, 599.0)
    assert not two.watched[0].active
    two.looked(600.0)
    settle(two, 600.0)
    assert two.watched[0].active


def test_own_increment_that_is_refused_is_left_to_the_device():
    found = book("analog-input,1", cov_increment=0.5)
    [watched] = found.watched
    assert found.subscription(watched).service == 28
    found.was_refused(watched, 0.0)
    assert not watched.refused
    assert found.subscription(watched).service == 5


def test_looking_goes_round(two):
    settle(two)
    names = [[w.names[0] for w in two.to_look_at(1)] for _ in range(3)]
    assert names == [["p0"], ["p1"], ["p0"]]


def test_points_of_one_property_share_a_subscription():
    found = book("analog-input,1", "analog-input,1")
    assert [w.names for w in found.watched] == [("p0", "p1")]


@pytest.mark.parametrize(
    ("last", "value", "missed"),
    [(20.0, 20.0, False), (20.0, 20.9, False), (20.0, 21.1, True), (None, 20.0, False)],
)
def test_analog_value_that_moved_far_was_missed(last, value, missed):
    [watched] = book("analog-input,1").watched
    watched.device_increment, watched.last = 0.5, last
    assert watched.missed(value) is missed


def test_without_an_increment_analog_values_tell_nothing():
    [watched] = book("analog-input,1").watched
    watched.last = 20.0
    assert not watched.missed(99.0)


def test_any_change_of_a_state_was_missed():
    [watched] = book("binary-input,1").watched
    watched.last = 0
    assert watched.missed(1)


def test_increments_are_asked_of_analog_values_only(two):
    assert increments_of(two.watched) == [Ref((0, 1), 22)]


def test_device_that_moved_is_subscribed_anew(two):
    settle(two)
    two.all_due(1.0)
    assert two.next_turn(1.0).watched is two.watched[0]
    assert two.wait_s(1.0) == 0.0
