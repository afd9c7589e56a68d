"""The plan of an upload: order, limits, and nothing that is not pending."""

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.plan import MAX_BATCHES, end_of, plan_upload
from cloud_sync.wire.ranges import contains, of_numbers

numbers = st.sets(st.integers(1, 300), max_size=120)


@given(numbers, numbers, st.integers(1, 310), st.integers(2, 64))
def test_a_plan_is_pending_ordered_and_within_its_limit(events, samples, mark, limit):
    pending = of_numbers(samples)
    plan = plan_upload(of_numbers(events), pending, mark=mark, max_batches=limit)
    assert len(plan.events) + len(plan.samples) <= limit
    assert list(plan.events) == sorted(events)[: len(plan.events)]
    assert len(set(plan.samples)) == len(plan.samples)
    assert all(contains(pending, n) for n in plan.samples)
    assert list(plan.newest) == sorted(plan.newest, reverse=True)
    assert all(n >= mark for n in plan.newest)
    assert list(plan.backlog) == sorted(plan.backlog)


@given(numbers, numbers, st.integers(1, 310))
def test_a_plan_leaves_no_place_empty_while_something_is_pending(events, samples, mark):
    plan = plan_upload(of_numbers(events), of_numbers(samples), mark=mark)
    taken = len(plan.events) + len(plan.samples)
    assert taken == min(MAX_BATCHES, min(len(events), MAX_BATCHES // 2) + len(samples))


def test_the_newest_go_first_and_then_the_oldest():
    plan = plan_upload((), ((1, 101),), mark=99, max_batches=5)
    assert plan.newest == (100, 99)
    assert plan.backlog == (1, 2, 3)


def test_a_flood_of_events_leaves_room_for_the_present():
    plan = plan_upload(((1, 1000),), ((1, 3),), mark=1, max_batches=10)
    assert plan.events == (1, 2, 3, 4, 5)
    assert plan.newest == (2, 1)


def test_a_batch_is_not_both_newest_and_backlog():
    plan = plan_upload((), ((1, 4),), mark=2, max_batches=10)
    assert plan.samples == (3, 2, 1)


def test_nothing_pending_is_an_empty_plan():
    plan = plan_upload((), (), mark=1)
    assert plan.events == plan.samples == ()


def test_the_end_of_nothing_is_the_first_number():
    assert end_of(()) == 1
    assert end_of(((1, 4), (7, 9))) == 9
