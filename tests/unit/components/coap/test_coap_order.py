import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.coap.buckets import Bucket
from components.coap.order import Stamp, is_newer, renewal_s

MOST = (1 << 24) - 1
numbers = st.integers(0, MOST)


@pytest.mark.parametrize(
    ("last", "fresh", "newer"),
    [
        (1, 2, True), (2, 1, False), (2, 2, False), (MOST, 0, True), (0, MOST, False),
        (0, (1 << 23) - 1, True), (0, 1 << 23, False),
    ],
)  # fmt: skip
def test_order_follows_the_numbers_and_their_wrap(last, fresh, newer):
    assert is_newer(Stamp(last, 0.0), Stamp(fresh, 1.0)) is newer


def test_after_128_seconds_any_number_is_newer():
    assert is_newer(Stamp(9, 0.0), Stamp(1, 128.1))
    assert not is_newer(Stamp(9, 0.0), Stamp(1, 128.0))


@given(numbers, numbers)
def test_of_two_notifications_at_most_one_is_newer(one, two):
    first, second = Stamp(one, 0.0), Stamp(two, 0.0)
    assert not (is_newer(first, second) and is_newer(second, first))


def test_renewal_follows_max_age_up_to_what_was_promised():
    assert renewal_s(30, 65) == 35
    assert renewal_s(86_400, 65) == 65
    assert renewal_s(0, 65) == 5


def test_bucket_lets_the_rate_through_and_twice_as_much_at_once():
    bucket = Bucket(2.0)
    assert [bucket.take(0.0) for _ in range(5)] == [True] * 4 + [False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert sum(bucket.take(100.0) for _ in range(10)) == 4


def test_slow_bucket_lets_one_through():
    bucket = Bucket(0.1)
    assert [bucket.take(0.0), bucket.take(1.0), bucket.take(10.5)] == [True, False, True]
