"""The adapter's side: connect, hand over what is not taken yet, send present values, do as asked.

A batch is handed over again until the runtime says that it is durable there. The numbers say
everything: whatever dies, the next connection begins with what the runtime has.
"""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import difference
from edge_runtime.adapters import place, remembered
from edge_runtime.adapters.frames import read_frame
from edge_runtime.adapters.handing import Handing, LinkStatus, Ours, Progress
from edge_runtime.adapters.messages import PROTOCOL, Hello, Refusal, Welcome, from_runtime
from edge_runtime.adapters.remembered import Remembered
from edge_runtime.adapters.together import first_to_end
from edge_runtime.clock import Clock
from edge_runtime.errors import AdapterLinkError, StoreError

RETRY_S = 0.2
LAST_RETRY_S = 0.5
WELCOME_S = 5.0

log = logging.getLogger(__name__)


class Link:
    """One adapter's line to the runtime."""

    def __init__(self, ours: Ours, folder: Path, clock: Clock) -> None:
        """``folder`` holds the runtime's socket."""
        self._ours = ours
        self._folder = folder
        self._clock = clock
        self._saved = remembered.load(ours.memory)
        self._epoch = ours.outbox.epoch
        self._tries = 0
        self.status = LinkStatus()
        self._progress = Progress(self.status, self._saved.of(self._epoch), asyncio.Event())

    def notice(self) -> None:
        """Note that the outbox has something new."""
        self._progress.news.set()

    def waiting(self) -> int:
        """Count the batches that the runtime has not taken yet."""
        taken, reader = self._progress.taken, self._ours.reader
        return sum(
            high - low
            for stream in Stream
            for low, high in difference(
                reader.stored(stream), ((1, taken.get(stream.value, 0) + 1),)
            )
        )

    async def run(self) -> None:
        """Hand over for ever."""
        while True:
            try:
                await self._connected()
            except AdapterLinkError as exc:
                self._lost(str(exc))
            finally:
                self._ours.tail.end()
            await self._clock.sleep(min(LAST_RETRY_S, RETRY_S * 2.0 ** min(self._tries, 8)))
            self._tries += 1

    async def tidy(self) -> None:
        """Remove what the runtime has, and remember it; a disk that refuses is for another time."""
        taken = dict(self._progress.taken)
        if self._saved != Remembered(self._epoch, taken):
            with suppress(OSError):
                remembered.save(self._ours.memory, Remembered(self._epoch, taken))
                self._saved = Remembered(self._epoch, taken)
        with suppress(StoreError):
            await self._ours.outbox.prune(
                {(stream, self._epoch): ((1, seq + 1),) for stream, seq in taken.items() if seq}
            )

    async def _connected(self) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=place.connect(self._folder))
        session = Handing(self._ours, self._progress, self._clock, writer)
        try:
            await self._greet(reader, session)
            self._ours.tail.begin()
            await first_to_end(session.listen(reader), session.hand_over(), session.tell_present())
        finally:
            session.end()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _greet(self, reader: asyncio.StreamReader, session: Handing) -> None:
        ours, taken = self._ours, self._progress.taken
        if self._epoch != ours.outbox.epoch:
            self._epoch = ours.outbox.epoch
            taken.clear()
        known = dict(taken)
        await session.say(Hello(PROTOCOL, ours.name, ours.pid, ours.version, self._epoch, known))
        try:
            async with asyncio.timeout(WELCOME_S):
                answer = from_runtime(await read_frame(reader))
        except TimeoutError as exc:
            msg = "the runtime does not answer"
            raise AdapterLinkError(msg) from exc
        if not isinstance(answer, Welcome) or answer.protocol != PROTOCOL:
            reason = answer.reason if isinstance(answer, Refusal) else "it speaks another protocol"
            msg = f"the runtime refuses: {reason}"
            raise AdapterLinkError(msg)
        for stream, seq in answer.taken.items():
            taken[stream] = max(seq, taken.get(stream, 0))
        await self.tidy()
        if ours.outbox.epoch != self._epoch:
            msg = "the outbox was an older copy and begins a new epoch"
            raise AdapterLinkError(msg)
        session.begin(self._epoch)
        self._tries = 0
        self.status.connected, self.status.error = True, ""
        log.info("connected to the runtime")

    def _lost(self, reason: str) -> None:
        if self.status.connected or not self.status.error:
            log.warning("no line to the runtime, what is read is kept: %s", reason)
        self.status.connected, self.status.error = False, reason
