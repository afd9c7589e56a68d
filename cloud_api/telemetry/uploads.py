"""What an upload holds and what is to become of each batch. Pure: bytes and sets of numbers in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloud_api.telemetry.columns import EARLIEST_US, LATEST_US, Columns, decode
from cloud_sync.wire.batch import Batch, Stream, open_batch
from cloud_sync.wire.errors import MessageDamagedError, MessageInvalidError, WireError
from cloud_sync.wire.events import Event, decode_events
from cloud_sync.wire.ranges import Ranges, of_numbers
from cloud_sync.wire.uplink import BatchResult, Outcome

MAX_EPOCH_CHARS = 64
MAX_SEQ = (1 << 63) - 2
"""The end of a half-open range must be a bigint too."""

StreamKey = tuple[str, str]
"""Stream and epoch."""
Number = tuple[StreamKey, int]
"""With the gateway, the name of a batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A whole batch: its header, and its content as events or as columns."""

    batch: Batch
    events: list[Event] = field(default_factory=list)
    columns: Columns | None = None

    @property
    def number(self) -> Number:
        """What the batch is called."""
        return (self.batch.stream, self.batch.epoch), self.batch.seq


@dataclass(frozen=True, slots=True)
class StreamGain:
    """What an upload adds to one stream."""

    stream: str
    epoch: str
    numbers: Ranges
    samples: int
    """Samples of the stream ``samples``, events of the other."""


@dataclass(slots=True)
class Plan:
    """What to store, and the answer for every batch in the order of the upload."""

    new: list[Opened]
    """Events first; each stream in the order of its numbers."""
    results: list[BatchResult]

    def refuse(self, opened: Opened) -> None:
        """Take back that a batch is stored: it cannot be used after all."""
        self.new.remove(opened)
        stored = _result(opened.batch, Outcome.STORED, "")
        refused = _result(opened.batch, Outcome.REFUSED, "invalid")
        self.results = [refused if result == stored else result for result in self.results]

    def gains(self) -> list[StreamGain]:
        """Sum up what is stored, by stream."""
        streams: dict[StreamKey, list[Batch]] = {}
        for opened in self.new:
            streams.setdefault(opened.number[0], []).append(opened.batch)
        return [
            StreamGain(*key, of_numbers(b.seq for b in batches), sum(b.count for b in batches))
            for key, batches in streams.items()
        ]


def open_upload(messages: list[bytes]) -> list[Opened | BatchResult]:
    """Open each batch; one that cannot be used becomes a refusal, and the rest goes on."""
    return [_open(message) for message in messages]


def plan(items: list[Opened | BatchResult], received: Mapping[Number, bytes | None]) -> Plan:
    """Decide batch by batch: new, received before, or of a clone.

    ``received`` has those numbers of the upload that the cloud has, with their SHA-256, or None
    where that has been forgotten.
    """
    seen = dict(received)
    made = Plan([], [])
    for item in items:
        if isinstance(item, BatchResult):
            made.results.append(item)
            continue
        outcome = decide(item, seen)
        if outcome is Outcome.STORED:
            seen[item.number] = item.batch.sha256
            made.new.append(item)
        made.results.append(
            _result(item.batch, outcome, "clone" if outcome is Outcome.REFUSED else "")
        )
    made.new.sort(key=lambda opened: (opened.batch.stream, opened.batch.epoch, opened.batch.seq))
    return made


def decide(opened: Opened, received: Mapping[Number, bytes | None]) -> Outcome:
    """Tell what becomes of one batch.

    The same number with another hash comes from a copied card; it is refused. A number whose hash
    has been forgotten is taken for a repetition.
    """
    if opened.number not in received:
        return Outcome.STORED
    known = received[opened.number]
    return Outcome.DUPLICATE if known in {None, opened.batch.sha256} else Outcome.REFUSED


def _open(message: bytes) -> Opened | BatchResult:
    try:
        batch = open_batch(message)
    except WireError as exc:
        return BatchResult("", "", 0, Outcome.REFUSED, _reason(exc))
    try:
        return _read(batch)
    except WireError as exc:
        return _result(batch, Outcome.REFUSED, _reason(exc))


def _read(batch: Batch) -> Opened:
    _check(batch)
    if batch.stream == Stream.EVENTS:
        opened = Opened(batch, events=decode_events(batch.payload))
        items = len(opened.events)
    else:
        opened = Opened(batch, columns=(columns := decode(batch.payload)))
        items = columns.times.size
    if items != batch.count:
        msg = f"a batch that says {batch.count} items holds {items}"
        raise MessageInvalidError(msg)
    return opened


def _check(batch: Batch) -> None:
    fits = (
        batch.stream in set(Stream)
        and 0 < len(batch.epoch) <= MAX_EPOCH_CHARS
        and batch.epoch.isalnum()
        and batch.seq <= MAX_SEQ
        and EARLIEST_US <= batch.first_us <= LATEST_US
        and EARLIEST_US <= batch.last_us <= LATEST_US
    )
    if not fits:
        msg = f"the header of batch {batch.seq} is outside the limits"
        raise MessageInvalidError(msg)


def _result(batch: Batch, outcome: Outcome, reason: str) -> BatchResult:
    return BatchResult(batch.stream, batch.epoch, batch.seq, outcome, reason)


def _reason(error: WireError) -> str:
    return "damaged" if isinstance(error, MessageDamagedError) else "invalid"
