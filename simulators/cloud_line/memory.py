"""Outbox, inbox and transport in memory: the line's seams without disk and network."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from cloud_sync.errors import LineDownError, LineError
from cloud_sync.wire.batch import ClockQuality, Seal, Stream, seal_batch
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.identity import StreamsReply
from cloud_sync.wire.ranges import Ranges, of_numbers, union
from cloud_sync.wire.uplink import Upload, UploadReply
from simulators.cloud_line.books import Books


@dataclass(frozen=True, slots=True)
class MemoryBatch:
    """One sealed batch."""

    seq: int
    count: int
    first_us: int
    message: bytes


class MemoryOutbox:
    """Implements :class:`cloud_sync.stores.Outbox`."""

    def __init__(self, epoch: str = "00c0ffee00c0ffee") -> None:
        """Begin empty."""
        self._epoch = epoch
        self._batches: dict[Stream, dict[int, MemoryBatch]] = {stream: {} for stream in Stream}
        self._news = False
        self.read: list[tuple[Stream, int]] = []
        """Every batch that was loaded, in order."""

    def commit(self, stream: Stream = Stream.SAMPLES, payload: bytes = b"payload") -> int:
        """Add a batch and give its number."""
        seq = max(self._batches[stream], default=0) + 1
        time_us = seq * 1_000_000
        seal = Seal(stream, self._epoch, seq, "boot", time_us, ClockQuality.SYNCHRONISED)
        message = seal_batch(seal, count=1, first_us=time_us, last_us=time_us, payload=payload)
        self._batches[stream][seq] = MemoryBatch(seq, 1, time_us, message)
        self._news = True
        return seq

    def begin_anew(self, epoch: str) -> None:
        """Forget everything and number from 1 in a new epoch."""
        self._epoch = epoch
        self._batches = {stream: {} for stream in Stream}
        self._news = True

    def changed(self) -> bool:
        """Tell whether anything was committed since the last call."""
        news, self._news = self._news, False
        return news

    def epoch(self) -> str:
        """Give the tag of this outbox."""
        return self._epoch

    def stored(self, stream: Stream) -> Ranges:
        """Numbers of the batches that lie here."""
        return of_numbers(self._batches[stream])

    def load(self, stream: Stream, numbers: Sequence[int], max_bytes: int) -> list[MemoryBatch]:
        """Read batches until the next would not fit; at least one."""
        loaded: list[MemoryBatch] = []
        for seq in numbers:
            batch = self._batches[stream][seq]
            max_bytes -= len(batch.message)
            if max_bytes < 0 and loaded:
                break
            loaded.append(batch)
            self.read.append((stream, seq))
        return loaded

    def weigh(self, stream: Stream, ranges: Ranges) -> tuple[int, int, int | None]:
        """Give batches, items and the oldest time of these numbers."""
        found = [
            batch
            for seq, batch in self._batches[stream].items()
            if any(low <= seq < high for low, high in ranges)
        ]
        oldest = min((batch.first_us for batch in found), default=None)
        return len(found), sum(batch.count for batch in found), oldest


@dataclass(slots=True)
class MemoryInbox:
    """Implements :class:`cloud_sync.stores.Inbox`."""

    ranges: dict[tuple[Stream, str], Ranges] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)

    def acknowledge(self, stream: Stream, epoch: str, ranges: Ranges) -> None:
        """Note that the cloud has these batches."""
        self.ranges[stream, epoch] = union(self.acknowledged(stream, epoch), ranges)

    def acknowledged(self, stream: Stream, epoch: str) -> Ranges:
        """Give what was noted."""
        return self.ranges.get((stream, epoch), ())

    def put(self, document: Document) -> bool:
        """Keep a document once."""
        return self.documents.setdefault(document.id, document) is document


@dataclass(slots=True)
class MemoryTransport:
    """Implements :class:`~cloud_sync.transports.transport.Transport` on the books of a cloud."""

    books: Books = field(default_factory=Books)
    faults: deque[LineError] = field(default_factory=deque)
    """Raised one a call, before the cloud sees anything."""
    lost_answers: int = 0
    """So many uploads are handled and not answered."""
    replies: deque[UploadReply] = field(default_factory=deque)
    """Given in place of the cloud's own."""
    downlinks: deque[list[Document | LineError | None]] = field(default_factory=deque)
    """What each connection of the downlink brings; after the last one it stays silent."""

    async def send(self, upload: Upload) -> UploadReply:
        """Hand an upload to the books."""
        if self.faults:
            raise self.faults.popleft()
        if self.replies:
            self.books.uploads.append(upload)
            return self.replies.popleft()
        reply = self.books.ingest(upload)
        if self.lost_answers:
            self.lost_answers -= 1
            raise LineDownError
        return reply

    async def documents(self) -> AsyncGenerator[Document | None]:
        """Give what one connection brings."""
        if not self.downlinks:
            await asyncio.get_running_loop().create_future()
        for item in self.downlinks.popleft():
            if isinstance(item, LineError):
                raise item
            yield item

    async def acknowledge_document(self, document: str) -> None:
        """Note it."""
        if self.faults:
            raise self.faults.popleft()
        self.books.acknowledged.append(document)

    async def streams(self) -> StreamsReply:
        """Give no streams."""
        return StreamsReply(streams=[])
