"""What may be written and how."""

import pytest

from components.bacnet.settings import Point
from components.bacnet.values import Kind, encode
from components.bacnet.wire import DamagedError, put, read_tags
from components.bacnet.writing import (
    Range,
    check_writable,
    fixed_kind,
    is_relinquish,
    may_be_commanded,
    overruled_by,
    written_bytes,
)
from edge_runtime.errors import DeviceRefusedError


def point(place, **fields):
    return Point(name="p", object=place, **fields)


@pytest.mark.parametrize("place", ["analog-input,1", "binary-input,1", "multi-state-input,1", "accumulator,1"])  # fmt: skip
def test_measured_value_cannot_be_written(place):
    with pytest.raises(DeviceRefusedError, match="measures") as caught:
        check_writable(point(place))
    assert caught.value.hint


def test_other_property_of_an_input_may_be():
    check_writable(point("analog-input,1", property="out-of-service"))


@pytest.mark.parametrize(
    ("place", "value", "data"),
    [
        ("analog-output,1", 21.5, encode(Kind.REAL, 21.5)),
        ("binary-value,1", "active", encode(Kind.ENUMERATED, 1)),
        ("binary-value,1", False, encode(Kind.ENUMERATED, 0)),
        ("multi-state-value,1", 3, encode(Kind.UNSIGNED, 3)),
        ("integer-value,1", -4, encode(Kind.INTEGER, -4)),
        ("large-analog-value,1", 0.1, encode(Kind.DOUBLE, 0.1)),
        ("characterstring-value,1", "relinquish", encode(Kind.TEXT, "relinquish")),
        ("analog-output,1", "relinquish", put(Kind.NULL, b"")),
    ],
)
def test_value_is_encoded_by_the_objects_type(place, value, data):
    target = point(place)
    assert written_bytes(target, fixed_kind(target), value) == data


@pytest.mark.parametrize(
    ("place", "value", "limit", "text"),
    [
        ("multi-state-value,1", 4, Range(states=3), "states go from 1 to 3"),
        ("multi-state-value,1", 0, Range(), "states go from 1"),
        ("analog-value,1", 29, Range(low=12, high=28), "outside of what the object accepts"),
        ("binary-value,1", 2, Range(), "expected active or inactive"),
        ("analog-value,1", "warm", Range(), "expected a number"),
        ("date-value,1", "2026-11-24", Range(), "type date are not supported"),
    ],
)
def test_value_that_does_not_fit_is_refused_before_it_is_sent(place, value, limit, text):
    target = point(place)
    with pytest.raises(DeviceRefusedError, match=text):
        written_bytes(target, fixed_kind(target), value, limit)


def test_relinquish_is_a_text_where_the_point_holds_text():
    assert is_relinquish(point("analog-output,1"), "relinquish")
    assert not is_relinquish(point("characterstring-value,1"), "relinquish")


@pytest.mark.parametrize(("ours", "winner"), [(8, 3), (3, None), (None, 3), (2, None)])
def test_higher_priority_overrules_ours(ours, winner):
    slots = [put(Kind.NULL, b"")] * 16
    slots[2] = slots[7] = encode(Kind.REAL, 5.0)
    assert overruled_by(read_tags(b"".join(slots)), ours) == winner


def test_priority_array_has_sixteen_places():
    with pytest.raises(DamagedError):
        overruled_by([], 8)


def test_only_outputs_and_values_are_commanded():
    assert may_be_commanded(point("analog-output,1"))
    assert may_be_commanded(point("binary-value,1"))
    assert not may_be_commanded(point("analog-input,1"))
