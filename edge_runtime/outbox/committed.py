"""What goes into an outbox beside items, and what it says after it took something."""

from dataclasses import dataclass
from typing import NamedTuple

from cloud_sync.wire.batch import Batch, ClockQuality, Stream
from edge_runtime.outbox.segment import Origin


class Stamp(NamedTuple):
    """When, and by which clock, a batch was sealed."""

    boot: str
    monotonic_us: int
    clock: ClockQuality


class Handed(NamedTuple):
    """What is known of a batch before it is sealed: by whom it was handed over, and its stamp."""

    origin: Origin | None
    stamp: Stamp


def stamp_of(batch: Batch) -> Stamp:
    """Keep the stamp of a batch that is sealed anew; a clock quality of later versions is unknown."""
    known = set(map(int, ClockQuality))
    clock = ClockQuality(batch.clock) if batch.clock in known else ClockQuality.UNKNOWN
    return Stamp(batch.boot, batch.monotonic_us, clock)


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

    def fields(self) -> dict[str, str | int]:
        """Name it for a line of the log."""
        return {
            "stream": self.stream.value,
            "seq": self.seq,
            "count": self.count,
            "sha256": self.sha256.hex(),
        }


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a call: partial success is a value."""

    committed: tuple[Committed, ...]
    taken: int
    """So many items from the front are dealt with; the others were not written."""
