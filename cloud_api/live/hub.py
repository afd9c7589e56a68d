"""One ordered feed a tenant, in memory: who slept a little misses nothing, who is slow is dropped.

A cursor is a number that only grows. A feed starts at the milliseconds since 1970 times 1000, so
that a cursor from before a restart is lower than every cursor after it and is answered by a reset.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from cloud_api.errors import TooManyError


@dataclass(frozen=True, slots=True)
class HubLimits:
    """What a hub may hold."""

    ring_events: int = 2_000
    ring_bytes: int = 4 << 20
    queue_events: int = 1_000
    watchers: int = 200
    """Open feeds of one tenant."""
    keep_s: float = 300.0
    """How long a feed goes on recording after its last watcher left."""


DEFAULT_LIMITS = HubLimits()


class FeedClosedError(Exception):
    """The watcher was too slow, or the hub closed; connect again with the last cursor."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One open connection: frames that wait to be written to it."""

    queue: "asyncio.Queue[bytes]"
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, timeout_s: float) -> bytes | None:
        """Give all frames that wait, or None when there is none within the time.

        Raises:
            FeedClosedError: the feed ended for this watcher.

        """
        if self.closed.is_set():
            raise FeedClosedError
        try:
            frames = [await asyncio.wait_for(self.queue.get(), timeout_s)]
        except TimeoutError:
            return None
        while not self.queue.empty():
            frames.append(self.queue.get_nowait())
        return b"".join(frames)

    def close(self) -> None:
        """End the feed for this watcher, now."""
        self.closed.set()
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(b"")


@dataclass(eq=False, slots=True)
class _Feed:
    cursor: int
    left_at: float
    ring: "deque[tuple[int, bytes]]" = field(default_factory=deque)
    ring_bytes: int = 0
    watchers: set[Watcher] = field(default_factory=set)

    @property
    def oldest(self) -> int:
        """The lowest cursor from which nothing is missing."""
        return self.ring[0][0] - 1 if self.ring else self.cursor


class Hub:
    """All feeds of this process."""

    def __init__(
        self,
        limits: HubLimits = DEFAULT_LIMITS,
        *,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._wall_ms = wall_ms
        self._monotonic = monotonic
        self._feeds: dict[UUID, _Feed] = {}

    def is_watched(self, tenant: UUID) -> bool:
        """Tell whether anyone watches a tenant, or did until a moment ago."""
        feed = self._feeds.get(tenant)
        if feed is None:
            return False
        if feed.watchers or self._monotonic() - feed.left_at < self._limits.keep_s:
            return True
        del self._feeds[tenant]
        return False

    def publish(self, tenant: UUID, event: str, data: bytes) -> None:
        """Append an event to a tenant's feed; where nobody watches, nothing is kept."""
        if not self.is_watched(tenant):
            return
        feed = self._feeds[tenant]
        feed.cursor += 1
        sent = frame(event, data, feed.cursor)
        feed.ring.append((feed.cursor, sent))
        feed.ring_bytes += len(sent)
        while (
            len(feed.ring) > self._limits.ring_events or feed.ring_bytes > self._limits.ring_bytes
        ):
            feed.ring_bytes -= len(feed.ring.popleft()[1])
        for watcher in tuple(feed.watchers):
            try:
                watcher.queue.put_nowait(sent)
            except asyncio.QueueFull:
                feed.watchers.discard(watcher)
                watcher.close()

    def has_room(self, tenant: UUID) -> bool:
        """Tell whether one more may watch a tenant."""
        feed = self._feeds.get(tenant)
        return feed is None or len(feed.watchers) < self._limits.watchers

    @contextmanager
    def watch(self, tenant: UUID, after: int | None) -> Iterator[tuple[Watcher, list[bytes], int]]:
        """Join a tenant's feed behind the cursor ``after``; gives what was missed, and the cursor.

        When the hub cannot tell what was missed, the first frame is a ``reset``.

        Raises:
            TooManyError: the tenant has too many open feeds.

        """
        self.is_watched(tenant)
        start = self._wall_ms() * 1000
        feed = self._feeds.setdefault(tenant, _Feed(start, self._monotonic()))
        if not self.has_room(tenant):
            raise TooManyError(
                "too many open feeds",
                hint="close some of the open pages",
                headers={"Retry-After": "10"},
            )
        watcher = Watcher(asyncio.Queue(self._limits.queue_events))
        feed.watchers.add(watcher)
        try:
            yield watcher, _missed(feed, after), feed.cursor
        finally:
            feed.watchers.discard(watcher)
            feed.left_at = self._monotonic()

    def close(self) -> None:
        """End every feed, so that the server can stop."""
        for feed in self._feeds.values():
            for watcher in tuple(feed.watchers):
                watcher.close()


def frame(event: str, data: bytes, cursor: int | None = None) -> bytes:
    """Write one server-sent event; ``data`` is JSON in one line."""
    number = b"" if cursor is None else b"id: %d\n" % cursor
    return b"%bevent: %b\ndata: %b\n\n" % (number, event.encode(), data)


def _missed(feed: _Feed, after: int | None) -> list[bytes]:
    if after is None:
        return []
    if not feed.oldest <= after <= feed.cursor:
        return [frame("reset", b"{}", feed.cursor)]
    return [sent for cursor, sent in feed.ring if cursor > after]
