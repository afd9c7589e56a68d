"""Listens for what the cloud has for the gateway.

A document is in the inbox, on disk, before the cloud hears that it arrived. Until then the cloud
sends it again on every connection, and the inbox takes it once.
"""

import logging
from contextlib import aclosing

from cloud_sync.errors import LineDownError, LineError
from cloud_sync.line import DOWNLINK, Line
from cloud_sync.stores import Clock, Inbox
from cloud_sync.transports.transport import Transport
from cloud_sync.wire.downlink import Document

log = logging.getLogger(__name__)

STEADY_S = 5.0
"""A connection that lasted so long counts as working; one that drops at once does not."""


class Downlink:
    """One connection at a time, opened again with the line's back-off."""

    def __init__(self, inbox: Inbox, transport: Transport, line: Line, clock: Clock) -> None:
        """Share ``line`` with the uplink."""
        self._inbox = inbox
        self._transport = transport
        self._line = line
        self._clock = clock

    async def run(self) -> None:
        """Listen for ever; returns only by cancellation."""
        while True:
            try:
                await self.listen()
            except LineError as exc:
                log.debug("downlink ended", extra={"error": str(exc)})
                self._line.status.downlink = False
                await self._line.failed(DOWNLINK, exc)

    async def listen(self) -> None:
        """Take documents from one connection until it ends.

        Raises:
            LineError: always: it could not be opened, was ended, or fell silent.

        """
        opened_at: float | None = None
        async with aclosing(self._transport.documents()) as documents:
            async for document in documents:
                now = self._clock.monotonic()
                if opened_at is None:
                    opened_at = now
                    self._line.status.downlink = True
                    self._line.reached()
                if now - opened_at >= STEADY_S:
                    self._line.works(DOWNLINK)
                if document is not None:
                    await self._take(document)
        raise LineDownError("the cloud ended the downlink")

    async def _take(self, document: Document) -> None:
        if self._inbox.put(document):
            self._line.status.documents += 1
            log.info("document received", extra={"document": document.id, "kind": document.kind})
        await self._transport.acknowledge_document(document.id)
