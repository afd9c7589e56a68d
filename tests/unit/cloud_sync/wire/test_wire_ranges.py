"""Ranges behave as the sets of numbers they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.wire import ranges

NUMBERS = st.sets(st.integers(1, 40), max_size=25)


def members(found):
    return {n for low, high in found for n in range(low, high)}


def is_canonical(found):
    edges = [edge for pair in found for edge in pair]
    return edges == sorted(set(edges))


@given(NUMBERS, NUMBERS)
def test_union_is_that_of_sets(a, b):
    found = ranges.union(ranges.of_numbers(a), ranges.of_numbers(b))
    assert members(found) == a | b
    assert is_canonical(found)


@given(NUMBERS, NUMBERS)
def test_difference_is_that_of_sets(a, b):
    found = ranges.difference(ranges.of_numbers(a), ranges.of_numbers(b))
    assert members(found) == a - b
    assert is_canonical(found)


@given(NUMBERS, st.integers(0, 41))
def test_contains_is_membership(a, number):
    assert ranges.contains(ranges.of_numbers(a), number) is (number in a)


@given(NUMBERS)
def test_size_counts(a):
    assert ranges.size(ranges.of_numbers(a)) == len(a)


@given(NUMBERS)
def test_text_survives(a):
    found = ranges.of_numbers(a)
    assert ranges.parse(ranges.render(found)) == found


def test_the_text_is_that_of_postgresql():
    assert ranges.render(((1, 5), (7, 9))) == "{[1,5),[7,9)}"
    assert ranges.parse("{[1,5), [7,9)}") == ((1, 5), (7, 9))
    assert ranges.render(()) == "{}"


@pytest.mark.parametrize(
    "text", ["", "[1,5)", "{[1,5]}", "{[1,)}", "{(1,5)}", "{[1,5)x}", "{[a,b)}"]
)
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="multirange"):
        ranges.parse(text)


def test_empty_ranges_vanish():
    assert ranges.union([(3, 3), (5, 4)]) == ()
