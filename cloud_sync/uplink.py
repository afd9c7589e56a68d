"""Sends what lies in the outbox until the cloud says that it has it.

All state is in the outbox (what there is) and the inbox (what the cloud has); the agent may be
killed at any moment and goes on from there. Only the cloud's own result for a batch that was really
sent acknowledges it.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from cloud_sync.errors import AnswerInvalidError, LineError, UploadTooLargeError
from cloud_sync.line import UPLINK, Line
from cloud_sync.pacing import Pace
from cloud_sync.plan import UploadPlan, end_of, plan_upload
from cloud_sync.status import SyncStatus
from cloud_sync.stores import Clock, Inbox, Outbox, StoredBatch
from cloud_sync.transports.transport import Transport
from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import Ranges, difference, of_numbers, union
from cloud_sync.wire.uplink import Backlog, BatchResult, Outcome, Upload, UploadReply

log = logging.getLogger(__name__)

POLL_S = 0.02
"""How often the outbox is asked for news; costs microseconds."""
HEARTBEAT_S = 5.0
"""Longest time without a word to the cloud, which calls a gateway silent after 15 s."""
FIRST_NEWEST = 8
"""Batches that count as the present at the start and after a failure."""
CLONE = "clone"


@dataclass(slots=True)
class Known:
    """What is known of the batches of one epoch since the agent started."""

    epoch: str
    acknowledged: dict[Stream, Ranges]
    held: dict[Stream, Ranges] = field(default_factory=lambda: dict.fromkeys(Stream, ()))
    """Refused: not sent again in this run."""
    mark: int = 0
    """First number of samples that the last plan did not know; 0 at the start, after a failure."""
    clone: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """What one upload carries."""

    epoch: str
    batches: dict[Stream, list[StoredBatch]]
    upload: Upload

    @property
    def keys(self) -> set[tuple[str, str, int]]:
        """Stream, epoch and number of every batch in it."""
        return {
            (stream.value, self.epoch, batch.seq)
            for stream, batches in self.batches.items()
            for batch in batches
        }

    @property
    def size(self) -> int:
        """Bytes of all batches."""
        return sum(len(message) for message in self.upload.batches)


class Uplink:
    """One request in flight at a time; see :mod:`cloud_sync.pacing` for why."""

    def __init__(
        self,
        outbox: Outbox,
        inbox: Inbox,
        transport: Transport,
        line: Line,
        *,
        clock: Clock,
        version: str,
    ) -> None:
        """``version`` is the gateway's own, told with every upload."""
        self._outbox = outbox
        self._inbox = inbox
        self._transport = transport
        self._line = line
        self._clock = clock
        self._version = version
        self._pace = Pace()
        self._known = self._begin(outbox.epoch())
        self._heartbeat_at = clock.monotonic()

    @property
    def _status(self) -> SyncStatus:
        return self._line.status

    async def run(self) -> None:
        """Send for ever; returns only by cancellation.

        Raises:
            Exception: a store failed; the supervisor starts the agent again.

        """
        while True:
            sending = await self._next()
            try:
                await self.send(sending)
            except LineError as exc:
                await self._line.failed(UPLINK, exc)
            else:
                self._line.works(UPLINK)

    async def _next(self) -> Sending:
        """Wait until there is something to send, or a heartbeat is due."""
        while True:
            sending = self.prepare()
            if sending.upload.batches:
                return sending
            while not self._outbox.changed():
                if self._clock.monotonic() >= self._heartbeat_at:
                    return self.prepare()
                await self._clock.sleep(POLL_S)

    def prepare(self) -> Sending:
        """Choose and read the next upload; without batches it is a heartbeat."""
        epoch = self._outbox.epoch()
        if epoch != self._known.epoch:
            self._known = self._begin(epoch)
        known = self._known
        stored = {stream: self._outbox.stored(stream) for stream in Stream}
        pending = {stream: self._pending(stream, stored[stream]) for stream in Stream}
        if known.clone:
            batches: dict[Stream, list[StoredBatch]] = {}
        else:
            end = end_of(stored[Stream.SAMPLES])
            mark = known.mark or max(1, end - FIRST_NEWEST)
            plan = plan_upload(pending[Stream.EVENTS], pending[Stream.SAMPLES], mark=mark)
            known.mark = end
            batches = self._read(plan)
        messages = [batch.message for group in batches.values() for batch in group]
        upload = Upload(self._backlog_after(stored, batches), self._version, messages)
        return Sending(epoch, batches, upload)

    def _pending(self, stream: Stream, stored: Ranges) -> Ranges:
        settled = union(self._known.acknowledged[stream], self._known.held[stream])
        return difference(stored, settled)

    def _read(self, plan: UploadPlan) -> dict[Stream, list[StoredBatch]]:
        """Read as many batches as the pace allows, in the plan's order; at least one."""
        room = self._pace.max_bytes
        events = self._load(Stream.EVENTS, plan.events, room)
        room -= sum(len(batch.message) for batch in events)
        samples = self._load(Stream.SAMPLES, plan.samples, room) if room > 0 else []
        return {Stream.EVENTS: events, Stream.SAMPLES: samples}

    def _load(self, stream: Stream, numbers: tuple[int, ...], room: int) -> list[StoredBatch]:
        return list(self._outbox.load(stream, numbers, room)) if numbers else []

    def _backlog_after(
        self, stored: dict[Stream, Ranges], batches: dict[Stream, list[StoredBatch]]
    ) -> Backlog:
        """Weigh all that the cloud does not have: refused batches still lie here, too."""
        sent = {stream: of_numbers(b.seq for b in group) for stream, group in batches.items()}
        has = self._known.acknowledged
        rest = {s: difference(r, union(has[s], sent.get(s, ()))) for s, r in stored.items()}
        count, samples, oldest_us = self._outbox.weigh(Stream.SAMPLES, rest[Stream.SAMPLES])
        events, _, _ = self._outbox.weigh(Stream.EVENTS, rest[Stream.EVENTS])
        return Backlog(count + events, samples, oldest_us)

    async def send(self, sending: Sending) -> None:
        """Send one upload and apply the cloud's results.

        Raises:
            LineError: nothing was acknowledged; everything is sent again later.

        """
        started_at = self._clock.monotonic()
        try:
            reply = await self._transport.send(sending.upload)
        except LineError as exc:
            self._pace.failed()
            self._known.mark = 0
            if isinstance(exc, UploadTooLargeError):
                self._hold_single(sending)
            raise
        ended_at = self._clock.monotonic()
        self._pace.arrived(sending.size, ended_at - started_at)
        self._heartbeat_at = ended_at + HEARTBEAT_S
        settled = self._apply(sending, reply)
        self._note(sending)
        if sending.upload.batches and not settled:
            msg = "the cloud's answer names none of the batches that were sent"
            raise AnswerInvalidError(msg)

    def _apply(self, sending: Sending, reply: UploadReply) -> bool:
        """Take the cloud's word for the batches that were sent, and for no other."""
        keys = sending.keys
        results = [r for r in reply.results if (r.stream, r.epoch, r.seq) in keys]
        for stream in Stream:
            of_stream = [r for r in results if r.stream == stream.value]
            self._acknowledge(stream, sending.epoch, _numbers(of_stream, acknowledged=True))
            self._hold(stream, _numbers(of_stream, acknowledged=False))
        for result in results:
            if result.outcome is Outcome.REFUSED:
                self._refused(result)
        self._status.duplicates += sum(r.outcome is Outcome.DUPLICATE for r in results)
        return bool(results)

    def _acknowledge(self, stream: Stream, epoch: str, numbers: Ranges) -> None:
        if numbers:
            self._inbox.acknowledge(stream, epoch, numbers)
            known = self._known.acknowledged
            known[stream] = union(known[stream], numbers)

    def _hold(self, stream: Stream, numbers: Ranges) -> None:
        self._known.held[stream] = union(self._known.held[stream], numbers)

    def _hold_single(self, sending: Sending) -> None:
        """Put aside the one batch that is too large for what lies between us and the cloud."""
        if len(sending.upload.batches) == 1:
            for stream, batches in sending.batches.items():
                self._hold(stream, of_numbers(batch.seq for batch in batches))
                self._status.refused += len(batches)

    def _refused(self, result: BatchResult) -> None:
        where = {"stream": result.stream, "epoch": result.epoch, "seq": result.seq}
        if result.reason != CLONE:
            self._status.refused += 1
            log.error("the cloud refused a batch", extra={**where, "reason": result.reason})
        elif not self._known.clone:
            self._known.clone = True
            self._status.clone = True
            log.critical(
                "another gateway uses our numbers: this outbox was copied; nothing is sent until "
                "one of the two gets a new outbox and enrols anew",
                extra=where,
            )

    def _note(self, sending: Sending) -> None:
        status = self._status
        status.uploads += 1
        status.uploaded_batches += len(sending.upload.batches)
        status.uploaded_bytes += sending.size
        status.last_ack_us = self._clock.wall_us()
        status.backlog_batches = sending.upload.backlog.batches
        status.backlog_samples = sending.upload.backlog.samples
        status.oldest_us = sending.upload.backlog.oldest_us
        status.request_bytes = self._pace.max_bytes

    def _begin(self, epoch: str) -> Known:
        self._line.status.clone = False
        return Known(epoch, {s: self._inbox.acknowledged(s, epoch) for s in Stream})


def _numbers(results: Iterable[BatchResult], *, acknowledged: bool) -> Ranges:
    return of_numbers(r.seq for r in results if (r.outcome is not Outcome.REFUSED) is acknowledged)
