import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import DeviceRefusedError
from edge_runtime.judging import Exponent, judge_point
from edge_runtime.model import Access, Point
from edge_runtime.writing import same, to_raw, write_point
from simulators.memory_device import MemoryPlace, WritableDevice

RW = Access.READ_WRITE


def point(**fields):
    return Point(**{"name": "set", "access": RW, **fields})


@pytest.fixture
def place():
    return MemoryPlace(values={"set": 0, "factor": -1})


@pytest.fixture
def write(place, clock):
    async def write(which, value, **options):
        work = asyncio.ensure_future(
            write_point(WritableDevice(place), which, value, clock, **options)
        )
        await clock.advance(5)
        return await work

    return write


async def test_an_engineering_value_is_made_raw_written_and_read_back(write, place):
    written = await write(point(scale=0.1, offset=-40), 21.3)
    assert place.written == [("set", 613)]
    assert written.confirmed
    assert written.read_back.value == 21.3


async def test_a_device_may_need_a_moment(write, place):
    place.slow_reads = 3
    assert (await write(point(), 5.5)).confirmed
    assert len(place.reads) == 4


async def test_a_device_that_only_seems_to_take_it_is_found_out(write, place):
    place.deaf = True
    written = await write(point(), 5.5)
    assert not written.confirmed
    assert written.read_back.value == 0


async def test_a_command_cannot_be_read_back(write, place):
    written = await write(point(access=Access.WRITE), 1.0)
    assert (written.read_back, written.confirmed, place.reads) == (None, False, [])


async def test_a_value_is_scaled_by_the_factor_that_the_device_gives_now(write, place):
    scaling = Point(name="factor", kind="integer")
    written = await write(point(scale_point="factor"), 1.5, scaling=scaling)
    assert place.written == [("set", 15)]
    assert written.confirmed


async def test_without_a_factor_nothing_is_written(write, place):
    place.values["factor"] = -32768
    with pytest.raises(DeviceRefusedError, match="gives no scale factor"):
        await write(point(scale_point="factor"), 1.5, scaling=Point(name="factor"))
    assert place.written == []


@pytest.mark.parametrize(
    ("fields", "value", "said"),
    [
        ({"access": Access.READ}, 1, "is only read"),
        ({"minimum": 5, "maximum": 30, "unit": "Cel"}, 31, "found 31; expected 5 to 30 Cel"),
        ({"maximum": 30}, 31, "expected -inf to 30"),
        ({}, float("nan"), "expected a number"),
        ({}, float("inf"), "expected a number"),
        ({"scale": 1e-6}, 1e305, "its scale leaves finite"),
        ({}, "5", "expected a number"),
        ({}, True, "expected a number"),
        ({"kind": "integer"}, 1.5, "expected a whole number"),
        ({"kind": "boolean"}, 2, "expected true or false"),
        ({"kind": "boolean"}, "on", "expected true or false"),
        ({"kind": "boolean"}, 1.0, "expected true or false"),
        ({"kind": "text"}, 5, "expected a text"),
        ({"kind": "enumeration", "labels": {0: "off", 1: "on"}}, 2, "one of 0 (off), 1 (on)"),
        ({"kind": "enumeration", "labels": {0: "off", 1: "on"}}, "up", "one of off, on"),
        ({"kind": "enumeration", "labels": {0: "off", 1: "on"}}, True, "one of 0 (off)"),
        ({"kind": "integer", "sentinels": (65535,)}, 65535, "not mean 'not implemented'"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(fields, value, said):
    with pytest.raises(DeviceRefusedError) as caught:
        to_raw(point(**fields), value)
    assert said in str(caught.value)


def test_a_label_may_stand_for_its_number():
    mode = point(kind="enumeration", labels={0: "off", 2: "on"})
    assert to_raw(mode, "on") == to_raw(mode, 2) == 2


def test_what_comes_back_may_differ_as_far_as_the_device_resolves():
    assert same(point(), 0.1, 0.10000000149)
    assert same(point(decimals=1), 21.34, 21.3)
    assert not same(point(decimals=1), 21.3, 21.4)
    assert not same(point(), 21.3, None)
    assert not same(point(kind="integer"), 5, 6)


@given(
    st.integers(-30_000, 30_000),
    st.sampled_from([1.0, 0.1, 0.01, 0.5, 10.0]),
    st.sampled_from([0.0, -40.0, 0.5]),
    st.sampled_from([None, -2, 0, 3]),
)
def test_every_value_that_can_be_read_can_be_written_again(raw, scale, offset, power):
    exponent = None if power is None else Exponent(power)
    which = point(scale=scale, offset=offset, **({"scale_point": "f"} if exponent else {}))
    value, _, _ = judge_point(which, exponent)(raw)
    assert to_raw(which, value, exponent) == raw
