"""Present values: in order, bounded, and never from yesterday."""

import asyncio

import pytest

from edge_runtime.adapters import tail as tails
from edge_runtime.adapters.tail import Tail
from edge_runtime.model import Reading
from edge_runtime.normalise import Normalised


@pytest.fixture
def tail(clock):
    return Tail(clock)


def take(tail, device, **values):
    readings = [Reading(f"{device}/{name}", value, received_us=7) for name, value in values.items()]
    tail.take(Normalised(device, readings, ()))


async def waiting(tail):
    async with asyncio.timeout(1):
        pieces = await tail.next()
    return [(device, [(r.point, r.value) for r in readings]) for device, readings in pieces]


async def test_values_come_in_the_order_they_were_read(tail):
    tail.begin()
    for value in (1, 2, 3):
        take(tail, "pump", flow=value)
    assert await waiting(tail) == [("pump", [("pump/flow", value)]) for value in (1, 2, 3)]


async def test_what_was_read_while_nobody_listened_is_one_present_state(tail, clock):
    take(tail, "pump", flow=1, level=5)
    take(tail, "pump", flow=2)
    tail.begin()
    ((_, readings),) = await tail.next()
    assert [(r.point, r.value) for r in readings] == [("pump/flow", 2), ("pump/level", 5)]
    assert {r.received_us for r in readings} == {clock.wall_us()}


async def test_too_much_becomes_the_present_state(tail, monkeypatch):
    monkeypatch.setattr(tails, "MAX_WAITING", 3)
    tail.begin()
    for value in range(4):
        take(tail, "pump", flow=value)
    assert await waiting(tail) == [("pump", [("pump/flow", 3)])]
    assert tail.overflows == 1


async def test_nothing_waits_for_a_listener_that_left(tail):
    tail.begin()
    take(tail, "pump", flow=1)
    tail.end()
    take(tail, "pump", flow=2)
    tail.begin()
    assert await waiting(tail) == [("pump", [("pump/flow", 2)])]
