"""What uplink and downlink need of a way to the cloud."""

from collections.abc import AsyncGenerator
from typing import Protocol

from cloud_sync.wire.downlink import Document
from cloud_sync.wire.identity import StreamsReply
from cloud_sync.wire.uplink import Upload, UploadReply


class Transport(Protocol):
    """One authenticated way to the cloud. Every call raises :class:`~cloud_sync.errors.LineError`.

    A reply is the cloud's own word: a transport must never make one up from what a broker, a proxy
    or a status code says.
    """

    async def send(self, upload: Upload) -> UploadReply:
        """Send batches (none: a heartbeat) and give the cloud's results."""
        ...

    def documents(self) -> AsyncGenerator[Document | None]:
        """Listen on one connection until it ends; None is a sign of life: opened, or a ping."""
        ...

    async def acknowledge_document(self, document: str) -> None:
        """Tell the cloud that a document is stored on the gateway."""
        ...

    async def streams(self) -> StreamsReply:
        """Ask what the cloud has of every stream of this gateway."""
        ...
