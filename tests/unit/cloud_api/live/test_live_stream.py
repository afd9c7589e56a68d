"""One open feed."""

from uuid import UUID

import pytest

from cloud_api.live.hub import Hub
from cloud_api.live.stream import PING, UNKNOWN_CURSOR, Stream, cursor_of

TENANT = UUID(int=1)


async def yes():
    return True


async def no():
    return False


async def test_hello_comes_first_and_tells_the_cursor():
    hub = Hub(wall_ms=lambda: 7)
    frames = Stream(hub, TENANT, None, yes).frames()
    hello = await anext(frames)
    assert hello.startswith(b"id: 7000\nevent: hello\n")
    assert b'"cursor":7000' in hello
    await frames.aclose()


async def test_what_was_missed_comes_before_hello():
    hub = Hub(wall_ms=lambda: 7)
    with hub.watch(TENANT, None):
        hub.publish(TENANT, "alert", b"{}")
    frames = Stream(hub, TENANT, 7000, yes).frames()
    first = await anext(frames)
    assert first.index(b"event: alert") < first.index(b"event: hello")
    await frames.aclose()


async def test_quiet_feed_pings():
    frames = Stream(Hub(), TENANT, None, yes, ping_s=0.001).frames()
    await anext(frames)
    assert await anext(frames) == PING
    await frames.aclose()


async def test_feed_ends_with_the_session():
    frames = Stream(Hub(), TENANT, None, no, ping_s=0.001, check_s=0.0).frames()
    await anext(frames)
    await anext(frames)
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


async def test_feed_that_ended_is_not_watched_any_more():
    hub = Hub(monotonic=iter(range(0, 9999, 400)).__next__)
    frames = Stream(hub, TENANT, None, yes).frames()
    await anext(frames)
    await frames.aclose()
    assert not hub.is_watched(TENANT)


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        (None, None),
        ("12", 12),
        ("", UNKNOWN_CURSOR),
        ("-1", UNKNOWN_CURSOR),
        ("9" * 30, UNKNOWN_CURSOR),
    ],
)
def test_last_event_id_is_read(text, cursor):
    assert cursor_of(text) == cursor
