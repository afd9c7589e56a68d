"""Group commit: samples are collected and committed together, events at once.

``add`` costs a list append. The first sample of a batch waits at most ``commit_interval_s``. While
the disk takes nothing, samples wait in memory up to ``max_pending_samples``; then the oldest are
given up, counted, and told to the cloud as a gap.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.samples import Sample
from edge_runtime.clock import Clock
from edge_runtime.errors import StoreError
from edge_runtime.outbox.committed import Appended, Committed, Stamp
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox
from edge_runtime.watched_clock import WatchedClock

MAX_PENDING_EVENTS = 10_000
RETRY_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CollectorHealth:
    """Whether the store takes what it is given."""

    degraded: bool
    reason: str
    """Why the last commit failed; empty when it did not."""
    pending_samples: int
    pending_events: int
    dropped_samples: int
    dropped_events: int


class Collector:
    """What the runtime puts readings and events into. ``run`` must be running."""

    def __init__(
        self,
        outbox: Outbox,
        settings: OutboxSettings,
        clock: Clock,
        on_commit: Callable[[Committed], None] | None = None,
        *,
        watched: WatchedClock | None = None,
    ) -> None:
        """``on_commit`` is called for each batch once it is durable.

        With a ``watched`` clock no batch holds samples from before and after a step of it.
        """
        self._outbox = outbox
        self._settings = settings
        self._clock = clock
        self._on_commit = on_commit
        self._samples: list[Sample] = []
        self._events: list[Event] = []
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()
        self._committing = asyncio.Lock()
        self._failure = ""
        self._dropped = {Stream.SAMPLES: 0, Stream.EVENTS: 0}
        self._untold = {Stream.SAMPLES: 0, Stream.EVENTS: 0}
        self._watched = watched
        self._cuts: list[tuple[int, Stamp]] = []
        """How many samples in front were taken before a step of the clock, and their stamp."""
        if watched is not None:
            watched.on_step(self._cut)

    @property
    def health(self) -> CollectorHealth:
        """Tell how it stands."""
        return CollectorHealth(
            bool(self._failure), self._failure, len(self._samples), len(self._events),
            self._dropped[Stream.SAMPLES], self._dropped[Stream.EVENTS],
        )  # fmt: skip

    def add(self, *samples: Sample) -> None:
        """Take samples; they are durable within ``commit_interval_s``."""
        waiting = self._samples
        room = 2 * self._settings.max_pending_samples - len(waiting)
        waiting.extend(samples[: max(0, room)])
        if waiting:
            self._some.set()
        if len(waiting) >= self._settings.batch_samples:
            self._urgent.set()
        if len(samples) > room:
            self._count_dropped(Stream.SAMPLES, len(samples) - max(0, room))

    def add_event(self, event: Event) -> None:
        """Take an event; it is committed at once, before any waiting sample."""
        self._events.append(event)
        self._some.set()
        self._urgent.set()

    async def run(self) -> None:
        """Commit for ever; when cancelled, what waits is committed first."""
        try:
            while True:
                await self._some.wait()
                await self._batch_due()
                await self._commit_or_wait()
        finally:
            with contextlib.suppress(StoreError):
                await self.flush()

    async def flush(self) -> None:
        """Commit everything now. A commit under way ends even when the caller is cancelled.

        Raises:
            StoreError: the store refuses; everything not committed still waits.

        """
        await asyncio.shield(asyncio.ensure_future(self._flush()))

    async def _flush(self) -> None:
        async with self._committing:
            self._some.clear()
            self._urgent.clear()
            try:
                await self._tell_dropped()
                while self._events:
                    stamp = self._watched.stamp() if self._watched else None
                    some = self._events[: self._settings.batch_samples]
                    self._done(self._events, await self._outbox.append_events(some, stamp))
                while self._samples:
                    most, stamp = self._next_batch()
                    waiting = self._samples[:most]
                    self._done(self._samples, await self._outbox.append_samples(waiting, stamp))
            except StoreError:
                self._give_up_oldest()
                raise
            finally:
                if self._samples or self._events:
                    self._some.set()

    async def _batch_due(self) -> None:
        """Wait until the first sample is old enough, the batch is full, or an event came."""
        if self._events or len(self._samples) >= self._settings.batch_samples:
            return
        pause = asyncio.ensure_future(self._clock.sleep(self._settings.commit_interval_s))
        urgent = asyncio.ensure_future(self._urgent.wait())
        try:
            await asyncio.wait({pause, urgent}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            urgent.cancel()

    async def _commit_or_wait(self) -> None:
        try:
            await self.flush()
        except StoreError as exc:
            if not self._failure:
                log.error("outbox refuses, readings wait in memory", extra={"error": str(exc)})  # noqa: TRY400 - an outage is a message, not a traceback
            self._failure = str(exc)
            await self._clock.sleep(RETRY_S)
            return
        if self._failure:
            log.info("outbox takes readings again", extra={"dropped": dict(self._dropped)})
            self._failure = ""

    async def _tell_dropped(self) -> None:
        for stream, count in self._untold.items():
            if count:
                self._untold[stream] = 0
                await self._outbox.drop(stream, count)

    def _done(self, waiting: list[Sample] | list[Event], appended: Appended) -> None:
        del waiting[: appended.taken]
        if waiting is self._samples:
            self._move_cuts(appended.taken)
        for batch in appended.committed:
            log.debug("outbox committed", extra=batch.fields())
            if self._on_commit is not None:
                self._on_commit(batch)

    def _give_up_oldest(self) -> None:
        """Keep the newest within the limits of memory."""
        for stream, waiting, most in (
            (Stream.SAMPLES, self._samples, self._settings.max_pending_samples),
            (Stream.EVENTS, self._events, MAX_PENDING_EVENTS),
        ):
            over = len(waiting) - most
            if over > 0:
                del waiting[:over]
                if stream is Stream.SAMPLES:
                    self._move_cuts(over)
                self._count_dropped(stream, over)

    def _cut(self, before: Stamp) -> None:
        """Keep what waits apart from what comes: the clock was stepped."""
        if self._samples:
            self._cuts.append((len(self._samples), before))

    def _next_batch(self) -> tuple[int, Stamp | None]:
        """Tell how many samples go into the next batch, and its stamp."""
        most = self._settings.batch_samples
        stamp = self._watched.stamp() if self._watched else None
        if not self._cuts:
            return most, stamp
        count, before = self._cuts[0]
        return min(most, count), before

    def _move_cuts(self, gone: int) -> None:
        self._cuts = [(count - gone, stamp) for count, stamp in self._cuts if count > gone]

    def _count_dropped(self, stream: Stream, count: int) -> None:
        self._dropped[stream] += count
        self._untold[stream] += count
