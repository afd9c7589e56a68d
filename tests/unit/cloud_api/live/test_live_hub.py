"""The feed of a tenant: ordered, resumable, bounded."""

import asyncio
from uuid import UUID

import pytest

from cloud_api.errors import TooManyError
from cloud_api.live.hub import FeedClosedError, Hub, HubLimits, frame

ONE, OTHER = UUID(int=1), UUID(int=2)
SOON_S = 0.001


class Time:
    def __init__(self):
        self.now = 1_000.0

    def monotonic(self):
        return self.now

    def wall_ms(self):
        return int(self.now * 1000)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def hub(time):
    limits = HubLimits(ring_events=3, queue_events=2, watchers=2)
    return Hub(limits, wall_ms=time.wall_ms, monotonic=time.monotonic)


async def test_watcher_sees_what_is_published_after_it_came(hub):
    with hub.watch(ONE, None) as (watcher, missed, cursor):
        hub.publish(ONE, "values", b"1")
        hub.publish(ONE, "values", b"2")
        expected = frame("values", b"1", cursor + 1) + frame("values", b"2", cursor + 2)
        assert missed == []
        assert await watcher.next(SOON_S) == expected


async def test_another_tenant_sees_nothing(hub):
    with hub.watch(OTHER, None) as (watcher, _, _):
        hub.publish(ONE, "values", b"1")
        assert await watcher.next(SOON_S) is None


async def test_one_who_slept_misses_nothing(hub):
    with hub.watch(ONE, None) as (_, _, cursor):
        pass
    hub.publish(ONE, "alert", b"1")
    with hub.watch(ONE, cursor) as (_, missed, now):
        assert missed == [frame("alert", b"1", cursor + 1)]
        assert now == cursor + 1


@pytest.mark.parametrize("offset", [-1, 5], ids=["too old", "unknown"])
async def test_cursor_that_cannot_be_resumed_is_reset(hub, offset):
    with hub.watch(ONE, None) as (_, _, cursor):
        for _ in range(4):
            hub.publish(ONE, "values", b"1")
    with hub.watch(ONE, cursor + offset) as (_, missed, now):
        assert missed == [frame("reset", b"{}", now)]


async def test_cursor_from_before_a_restart_is_reset(hub, time):
    with hub.watch(ONE, None) as (_, _, cursor):
        hub.publish(ONE, "values", b"1")
    time.now += 1
    reborn = Hub(wall_ms=time.wall_ms, monotonic=time.monotonic)
    with reborn.watch(ONE, cursor + 1) as (_, missed, now):
        assert missed == [frame("reset", b"{}", now)]


async def test_slow_watcher_is_dropped_and_the_others_stay(hub):
    with hub.watch(ONE, None) as (slow, _, _), hub.watch(ONE, None) as (quick, _, _):
        for _ in range(3):
            hub.publish(ONE, "values", b"1")
            assert await quick.next(SOON_S)
        with pytest.raises(FeedClosedError):
            await slow.next(SOON_S)


async def test_nothing_is_kept_where_nobody_watches(hub, time):
    with hub.watch(ONE, None) as (_, _, cursor):
        pass
    time.now += 301
    hub.publish(ONE, "values", b"1")
    assert not hub.is_watched(ONE)
    with hub.watch(ONE, cursor) as (_, missed, now):
        assert missed == [frame("reset", b"{}", now)]


async def test_feeds_of_a_tenant_are_bounded(hub):
    with hub.watch(ONE, None), hub.watch(ONE, None), pytest.raises(TooManyError):
        hub.watch(ONE, None).__enter__()


async def test_closed_hub_lets_every_watcher_go(hub):
    with hub.watch(ONE, None) as (watcher, _, _):
        waiting = asyncio.create_task(watcher.next(60))
        await asyncio.sleep(0)
        hub.close()
        assert await waiting == b""
        with pytest.raises(FeedClosedError):
            await watcher.next(SOON_S)
