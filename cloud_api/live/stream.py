"""One open feed: what was missed, then what comes, for as long as the session is good."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cloud_api.live.hub import FeedClosedError, Hub, frame
from cloud_api.live.schemas import Hello

PING_S = 10.0
PING = b": ping\n\n"
CHECK_S = 30.0
"""A session that was ended elsewhere closes its feeds at most this much later."""
UNKNOWN_CURSOR = -1
MAX_CURSOR_CHARS = 20


@dataclass(slots=True)
class Stream:
    """The feed of one tenant for one watcher. ``signed_in`` tells whether the session still is."""

    hub: Hub
    tenant: UUID
    after: int | None
    signed_in: Callable[[], Awaitable[bool]]
    ping_s: float = PING_S
    check_s: float = CHECK_S

    async def frames(self) -> AsyncIterator[bytes]:
        """Give what was missed and a ``hello``, then what comes.

        Raises:
            TooManyError: the tenant has too many open feeds; ask the hub before.

        """
        with self.hub.watch(self.tenant, self.after) as (watcher, missed, cursor):
            hello = Hello(now=datetime.now(UTC), cursor=cursor).model_dump_json()
            yield b"".join([*missed, frame("hello", hello.encode(), cursor)])
            checked = time.monotonic()
            while True:
                try:
                    yield await watcher.next(self.ping_s) or PING
                except FeedClosedError:
                    return
                if time.monotonic() - checked >= self.check_s:
                    checked = time.monotonic()
                    if not await self.signed_in():
                        return


def cursor_of(text: str | None) -> int | None:
    """Read ``Last-Event-ID``; what is no cursor of ours is one that cannot be resumed."""
    if text is None:
        return None
    known = text.isascii() and text.isdecimal() and len(text) <= MAX_CURSOR_CHARS
    return int(text) if known else UNKNOWN_CURSOR
