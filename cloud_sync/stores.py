"""What the line needs of outbox, inbox and clock: structural types, so that it knows no store."""

from collections.abc import Sequence
from typing import Protocol

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.ranges import Ranges


class StoredBatch(Protocol):
    """One sealed batch as it lies in the outbox."""

    @property
    def seq(self) -> int:
        """Number in its stream."""
        ...

    @property
    def count(self) -> int:
        """Samples or events in it."""
        ...

    @property
    def message(self) -> bytes:
        """The sealed bytes, as they travel."""
        ...


class Outbox(Protocol):
    """What the gateway has for the cloud; the line only reads it."""

    def changed(self) -> bool:
        """Tell whether anything was committed since the last call; cheap enough for 40 Hz."""
        ...

    def epoch(self) -> str:
        """Give the tag of this outbox, empty while there is none; a new one means new numbers."""
        ...

    def stored(self, stream: Stream) -> Ranges:
        """Numbers of the batches that lie here."""
        ...

    def load(self, stream: Stream, numbers: Sequence[int], max_bytes: int) -> Sequence[StoredBatch]:
        """Read batches in the order asked for until the next would not fit; at least one.

        What left the outbox meanwhile, or does not verify, is left out; from then on ``stored``
        leaves it out too.
        """
        ...

    def weigh(self, stream: Stream, ranges: Ranges) -> tuple[int, int, int | None]:
        """Give batches, items and the oldest time (µs) of the batches with these numbers."""
        ...


class Inbox(Protocol):
    """What the cloud has for the gateway. Every write is on disk when the call returns."""

    def acknowledge(self, stream: Stream, epoch: str, ranges: Ranges) -> None:
        """Note that the cloud has these batches: the runtime may delete them."""
        ...

    def acknowledged(self, stream: Stream, epoch: str) -> Ranges:
        """Give what was noted."""
        ...

    def put(self, document: Document) -> bool:
        """Keep a document; the same id twice changes nothing."""
        ...


class Clock(Protocol):
    """Time as a parameter."""

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""
        ...
