"""The downlink: documents for one gateway as server-sent events, each until it is acknowledged."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from cloud_api.access.caller import GatewayCaller
from cloud_api.access.tokens import TOKEN_LIFETIME
from cloud_api.commands import service
from cloud_api.commands.board import Board
from cloud_api.db.session import Database
from cloud_sync.wire.downlink import Document

PING_S = 10.0
PING = b": ping\n\n"
LOOK_EVERY_S = 30.0
"""A command that another process queued is found at the latest after this."""


@dataclass(slots=True)
class Downlink:
    """One open downlink. It ends when the token that opened it does."""

    database: Database
    board: Board
    caller: GatewayCaller
    in_good_standing: Callable[[], Awaitable[bool]]
    ping_s: float = PING_S
    _sent: set[str] = field(default_factory=set)

    async def stream(self) -> AsyncIterator[bytes]:
        """Give frames: at first everything that is not acknowledged, then what comes."""
        end = time.monotonic() + TOKEN_LIFETIME.total_seconds()
        look = 0.0
        with self.board.waiting(self.caller.gateway) as woken:
            yield PING
            while not self.board.closed and time.monotonic() < end:
                if not await self.in_good_standing():
                    return
                if woken.is_set() or time.monotonic() >= look:
                    woken.clear()
                    look = time.monotonic() + LOOK_EVERY_S
                    for document in await self._fresh():
                        yield frame_of(document)
                try:
                    await asyncio.wait_for(woken.wait(), self.ping_s)
                except TimeoutError:
                    yield PING

    async def _fresh(self) -> list[Document]:
        """Take out what this downlink has not sent yet."""
        async with self.database.transaction(self.caller.tenant) as db:
            documents, changed = await service.hand_out(db, self.caller, datetime.now(UTC))
        self.board.changed(self.caller.tenant, changed)
        fresh = [document for document in documents if document.id not in self._sent]
        self._sent = {document.id for document in documents}
        return fresh


def frame_of(document: Document) -> bytes:
    """Write a document as one server-sent event."""
    return b"event: document\nid: %b\ndata: %b\n\n" % (
        document.id.encode(),
        msgspec.json.encode(document),
    )
