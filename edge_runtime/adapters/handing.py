"""One connection of an adapter to the runtime: hand over, send present values, do as asked."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import difference
from edge_runtime.adapters.frames import MAX_BODY_BYTES, pack_frame, read_frame
from edge_runtime.adapters.messages import (
    MAX_ASKED,
    WINDOW,
    Answer,
    Ask,
    FromAdapter,
    Handover,
    Later,
    Refusal,
    Taken,
    Unfit,
    Welcome,
    encode,
    from_runtime,
    live_of,
)
from edge_runtime.adapters.tail import Piece, Tail
from edge_runtime.clock import Clock
from edge_runtime.errors import AdapterLinkError, StoreError
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.writer import Outbox

LATER_S = 1.0
"""Wait before handing over again what the runtime could not take."""
MAX_LOAD_BYTES = 4 << 20
ORDER = (Stream.EVENTS, Stream.SAMPLES)

Refresh = Callable[[str], Awaitable[str]]
"""Read a device now; gives why it could not be, empty for success."""

log = logging.getLogger(__name__)


class LinkStatus(msgspec.Struct):
    """How the line to the runtime stands."""

    connected: bool = False
    error: str = ""
    """Why it is not connected, or why the runtime takes nothing now."""
    handed_over: int = 0
    """Batches that the runtime took, since the start."""
    overflows: int = 0
    """How often present values went faster than the socket."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What the link works on: the adapter's own."""

    name: str
    version: str
    pid: int
    outbox: Outbox
    reader: OutboxReader
    tail: Tail
    refresh: Refresh
    memory: Path
    """File of :mod:`~edge_runtime.adapters.remembered`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What outlives a connection: how the line stands, and what was taken."""

    status: LinkStatus
    taken: dict[str, int]
    """By stream, the last number that the runtime has."""
    news: asyncio.Event
    """Set when there may be something to hand over."""

    def note(self, stream: str, seq: int) -> None:
        """The runtime has everything up to this number."""
        self.taken[stream] = max(seq, self.taken.get(stream, 0))
        self.status.handed_over += 1
        self.status.error = ""
        self.news.set()


class Handing:
    """One connection."""

    def __init__(
        self, ours: Ours, progress: Progress, clock: Clock, writer: asyncio.StreamWriter
    ) -> None:
        self._ours = ours
        self._progress = progress
        self._clock = clock
        self._writer = writer
        self._epoch = ""
        self._sent = dict.fromkeys(ORDER, 0)
        self._flying: dict[Stream, list[int]] = {stream: [] for stream in ORDER}
        self._asked: set[asyncio.Task[None]] = set()
        self._later = False

    def begin(self, epoch: str) -> None:
        """Go on after what the runtime has of this epoch."""
        self._epoch = epoch
        self._start_over()

    def end(self) -> None:
        """Stop doing what was asked."""
        for task in self._asked:
            task.cancel()

    async def say(self, message: FromAdapter) -> None:
        """Send a message."""
        await self._send(pack_frame(encode(message)))

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Do what the runtime says."""
        while True:
            message = from_runtime(await read_frame(reader))
            match message:
                case Taken(stream, seq):
                    self._landed(_stream_of(stream), seq)
                case Later(_, _, reason):
                    self._progress.status.error = reason
                    self._wait_a_little()
                case Unfit(stream, seq, reason):
                    await self._give_up(_stream_of(stream), seq, reason)
                case Ask():
                    self._do(message)
                case Refusal(reason):
                    msg = f"the runtime refuses: {reason}"
                    raise AdapterLinkError(msg)
                case Welcome():
                    msg = "the runtime says Welcome twice"
                    raise AdapterLinkError(msg)

    async def hand_over(self) -> None:
        """Send batches as they come, a window of them at a time; events first."""
        news = self._progress.news
        while True:
            news.clear()
            if self._later:
                await self._clock.sleep(LATER_S)
                self._start_over()
            if self._ours.reader.epoch() != self._epoch:
                msg = "the outbox begins a new epoch"
                raise AdapterLinkError(msg)
            if not sum([await self._hand_over_some(stream) for stream in ORDER]):
                await news.wait()

    async def tell_present(self) -> None:
        """Send present values as they come."""
        while True:
            pieces = await self._ours.tail.next()
            at = self._clock.monotonic()
            await self._send(b"".join(frame for piece in pieces for frame in _frames(piece, at)))
            self._progress.status.overflows = self._ours.tail.overflows

    async def _hand_over_some(self, stream: Stream) -> int:
        room = WINDOW - sum(map(len, self._flying.values()))
        waiting = difference(self._ours.reader.stored(stream), ((1, self._sent[stream] + 1),))
        numbers = [n for low, high in waiting[:room] for n in range(low, min(high, low + room))]
        batches = self._ours.reader.load(stream, numbers[:room], MAX_LOAD_BYTES) if room else []
        for batch in batches:
            after, self._sent[stream] = self._sent[stream], batch.seq
            self._flying[stream].append(batch.seq)
            await self.say(Handover(stream.value, batch.seq, after, batch.message))
        return len(batches)

    def _start_over(self) -> None:
        self._later = False
        for stream in ORDER:
            self._sent[stream] = self._progress.taken.get(stream.value, 0)
            self._flying[stream].clear()

    def _landed(self, stream: Stream, seq: int) -> None:
        self._flying[stream] = [flying for flying in self._flying[stream] if flying > seq]
        self._progress.note(stream.value, seq)

    async def _give_up(self, stream: Stream, seq: int, reason: str) -> None:
        """Turn a batch that the runtime will never take into a gap."""
        log.error("the runtime cannot use batch %s/%d: %s", stream.value, seq, reason)
        with suppress(StoreError):
            await self._ours.outbox.condemn(stream, [seq])
        self._wait_a_little()

    def _wait_a_little(self) -> None:
        self._later = True
        self._progress.news.set()

    def _do(self, ask: Ask) -> None:
        async def answer() -> None:
            error = await self._ours.refresh(ask.device) if ask.what == "refresh" else "not known"
            with suppress(AdapterLinkError):
                await self.say(Answer(ask.number, error))

        if len(self._asked) < MAX_ASKED:
            task = asyncio.ensure_future(answer())
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)

    async def _send(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as exc:
            msg = f"the runtime went away: {exc}"
            raise AdapterLinkError(msg) from exc


def _stream_of(name: str) -> Stream:
    try:
        return Stream(name)
    except ValueError as exc:
        msg = f"the runtime speaks of a stream '{name}'"
        raise AdapterLinkError(msg) from exc


def _frames(piece: Piece, at: float) -> list[bytes]:
    """Put readings into as many frames as they need; one reading alone that is too large stays."""
    device, readings = piece
    body = encode(live_of(device, readings, at))
    if len(body) <= MAX_BODY_BYTES:
        return [pack_frame(body)]
    if len(readings) == 1:
        return []
    middle = len(readings) // 2
    return [
        *_frames((device, readings[:middle]), at),
        *_frames((device, readings[middle:]), at),
    ]
