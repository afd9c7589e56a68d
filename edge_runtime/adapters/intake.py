"""One connection of the runtime to an adapter: take its batches once each, ask it for things."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

from cloud_sync.wire.batch import Batch, Stream, open_batch
from cloud_sync.wire.errors import MessageInvalidError, WireError
from cloud_sync.wire.samples import decode_columns
from cloud_sync.wire.version import MAX_NAME_CHARS
from edge_runtime.adapters.frames import pack_frame
from edge_runtime.adapters.messages import (
    MAX_ASKED,
    WINDOW,
    Ask,
    FromRuntime,
    Handover,
    Hello,
    Later,
    Taken,
    Unfit,
    encode,
)
from edge_runtime.errors import AdapterLinkError, StoreError
from edge_runtime.outbox.committed import Committed
from edge_runtime.outbox.writer import Outbox

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Intake:
    """One connection."""

    outbox: Outbox
    writer: asyncio.StreamWriter
    on_taken: Callable[[Committed], None]
    hello: Hello | None = None
    taken: dict[str, int] = field(default_factory=dict)
    waiting: asyncio.Queue[Handover] = field(default_factory=lambda: asyncio.Queue(WINDOW))
    asked: dict[int, "asyncio.Future[str]"] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def socket(self) -> socket.socket:
        """Give the socket, to ask who is at its other end."""
        found: socket.socket = self.writer.get_extra_info("socket")
        return found

    def begin(self, hello: Hello, taken: Mapping[str, int]) -> None:
        """Note what of this epoch is here, by our own note or, where that is lost, by the adapter's."""
        known = hello.known
        self.taken = {s: max(taken.get(s, 0), known.get(s, 0)) for s in map(str, Stream)}
        self.hello = hello

    def put(self, handover: Handover) -> None:
        """Line a batch up.

        Raises:
            AdapterLinkError: more than the window allows.

        """
        try:
            self.waiting.put_nowait(handover)
        except asyncio.QueueFull:
            msg = f"more than {WINDOW} batches on their way"
            raise AdapterLinkError(msg) from None

    async def take_all(self, name: str) -> None:
        """Take batches in the order they came."""
        while True:
            handover = await self.waiting.get()
            await self.say(await self._take(name, handover))

    async def _take(self, name: str, handover: Handover) -> FromRuntime:
        stream, seq = handover.stream, handover.seq
        if handover.after > self.taken.get(stream, 0):
            return Later(stream, seq, f"batch {handover.after} is not here yet")
        try:
            batch = self._checked(handover)
            committed = await self.outbox.take(name, batch)
        except WireError as exc:
            log.error("adapter %s: batch %s/%d cannot be used: %s", name, stream, seq, exc)  # noqa: TRY400 - says it all
            return Unfit(stream, seq, str(exc))
        except StoreError as exc:
            return Later(stream, seq, f"the outbox takes nothing now: {exc}")
        self.taken[stream] = max(seq, self.taken[stream])
        if committed is not None:
            origin = f"{name}/{seq}"
            log.debug("outbox committed", extra={**committed.fields(), "from": origin})
            self.on_taken(committed)
        return Taken(stream, seq)

    def _checked(self, handover: Handover) -> Batch:
        """Read a batch and check that it is what it is said to be."""
        batch = open_batch(handover.message)
        epoch = self.hello.epoch if self.hello else ""
        if (batch.stream, batch.epoch, batch.seq) != (handover.stream, epoch, handover.seq):
            msg = f"batch {batch.stream}/{batch.epoch}/{batch.seq} under another number"
            raise MessageInvalidError(msg)
        if batch.stream not in self.taken:
            msg = f"there is no stream '{batch.stream}'"
            raise MessageInvalidError(msg)
        if batch.stream == Stream.SAMPLES:
            _check_samples(batch)
        return batch

    async def ask(self, what: str, device: str) -> str:
        """Ask for something and wait for the answer: an error, or empty.

        Raises:
            AdapterLinkError: the connection broke.

        """
        if len(self.asked) >= MAX_ASKED:
            msg = f"{MAX_ASKED} requests wait for an answer already"
            raise AdapterLinkError(msg)
        number = next(self.numbers)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked[number] = answer
        try:
            await self.say(Ask(number, what, device))
            return await answer
        finally:
            del self.asked[number]

    def answered(self, number: int, error: str) -> None:
        """Hand an answer to who asked; one that nobody waits for any more is dropped."""
        waiting = self.asked.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(error)

    def end(self) -> None:
        """Tell who waits that there will be no answer."""
        for waiting in self.asked.values():
            if not waiting.done():
                waiting.set_exception(AdapterLinkError("the adapter went away"))

    async def say(self, message: FromRuntime) -> None:
        """Send a message."""
        try:
            self.writer.write(pack_frame(encode(message)))
            await self.writer.drain()
        except OSError as exc:
            msg = f"the adapter went away: {exc}"
            raise AdapterLinkError(msg) from exc


def _check_samples(batch: Batch) -> None:
    columns = decode_columns(batch.payload)
    total = sum(columns.counts)
    if total != batch.count:
        msg = f"a batch of {total} samples says {batch.count}"
        raise MessageInvalidError(msg)
    for point in columns.points:
        if not 0 < len(point) <= MAX_NAME_CHARS or "/" not in point:
            msg = f"'{point[:MAX_NAME_CHARS]}' is no point"
            raise MessageInvalidError(msg)
