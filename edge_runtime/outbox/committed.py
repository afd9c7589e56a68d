"""What the outbox says after it took something."""

from dataclasses import dataclass

from cloud_sync.wire.batch import Stream


@dataclass(frozen=True, slots=True)
class Committed:
    """One batch that is durable now."""

    stream: Stream
    epoch: str
    seq: int
    count: int
    first_us: int
    last_us: int
    size: int
    """Bytes of the sealed batch."""
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a call: partial success is a value."""

    committed: tuple[Committed, ...]
    taken: int
    """So many items from the front are dealt with; the others were not written."""
