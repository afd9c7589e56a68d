"""The outbox as it blocks: numbers, commits, makes room, accounts for what left. One thread only."""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from cloud_sync.wire.batch import Batch, Seal, Stream, open_batch, seal_batch
from cloud_sync.wire.errors import WireError
from cloud_sync.wire.events import Event, Gap, decode_events
from cloud_sync.wire.ranges import Ranges, difference, of_numbers, parse, union
from cloud_sync.wire.samples import Sample
from cloud_sync.wire.version import MAX_BATCH_EVENTS, MAX_BATCH_SAMPLES
from edge_runtime.clock import Clock, boot_id
from edge_runtime.durable import make_folder
from edge_runtime.errors import StoreDamagedError, StoreError, StoreFullError
from edge_runtime.outbox import epochs, opening
from edge_runtime.outbox import folder as files
from edge_runtime.outbox.chain import Chain, Closed
from edge_runtime.outbox.committed import Appended, Committed, Handed, Stamp, stamp_of
from edge_runtime.outbox.database import store_errors
from edge_runtime.outbox.folder import Account
from edge_runtime.outbox.gaps import GapReason, gap_event, inherit, numbered_gaps, ranges_of
from edge_runtime.outbox.packing import Packed, fitting, pack_events, pack_samples
from edge_runtime.outbox.reserve import Reserve
from edge_runtime.outbox.segment import Meta, Origin, Row
from edge_runtime.outbox.settings import OutboxSettings

T = TypeVar("T", Sample, Event)
Acknowledged = Mapping[tuple[str, str], Ranges]
"""What the cloud has, by (stream, epoch), as the inbox gives it."""

HEADROOM_SEGMENTS = 4
"""Room for what both active segments and their logs grow by before the next rotation."""

log = logging.getLogger(__name__)


class Store:
    """Both streams of an outbox. Blocks; every call comes from the same thread."""

    def __init__(
        self,
        root: Path,
        settings: OutboxSettings,
        clock: Clock,
        *,
        chains: dict[Stream, Chain],
        account: Account,
        reserve: Reserve,
    ) -> None:
        self._root = root
        self._settings = settings
        self._clock = clock
        self._chains = chains
        self._account = account
        self._reserve = reserve
        self._acknowledged: Acknowledged = {}
        self._gaps: list[Gap] = []
        self._is_open = True
        """False where opening anew failed half-way: the next call tries again."""
        self._scrubbed = dict.fromkeys(Stream, 0)

    @classmethod
    def open(cls, root: Path, settings: OutboxSettings, clock: Clock) -> "Store":
        """Open the outbox in a folder, or make one; repair what a crash or damage left.

        Raises:
            StoreError: the disk is full or failing.

        """
        with store_errors(root):
            make_folder(root)
        reserve = Reserve(root / "reserve", settings.reserve_bytes)
        try:
            account, chains, gaps = epochs.resume(root, clock)
        except StoreFullError:
            if not reserve.release():
                raise
            account, chains, gaps = epochs.resume(root, clock)
        store = cls(root, settings, clock, chains=chains, account=account, reserve=reserve)
        store._gaps = gaps
        store._find_holes()
        store._try_declare()
        reserve.hold()
        return store

    @property
    def epoch(self) -> str:
        """The epoch that new batches get."""
        return self._account.epoch

    def append_samples(self, samples: Sequence[Sample], stamp: Stamp | None = None) -> Appended:
        """Seal and commit samples, closed at ``stamp`` or now; a StoreError: none was written."""
        handed = Handed(None, stamp) if stamp is not None else None
        return self._append(Stream.SAMPLES, samples, MAX_BATCH_SAMPLES, pack_samples, handed)

    def append_events(self, events: Sequence[Event], stamp: Stamp | None = None) -> Appended:
        """Seal and commit events, closed at ``stamp`` or now; a StoreError: none was written."""
        handed = Handed(None, stamp) if stamp is not None else None
        return self._append(Stream.EVENTS, events, MAX_BATCH_EVENTS, pack_events, handed)

    def take(self, name: str, batch: Batch) -> Committed | None:
        """Commit a batch that another outbox handed over, once; None where it is here already.

        Its payload, and when and by which clock it was sealed, stay as they are; the number is this
        outbox's. That it was taken is noted in the same transaction.

        Raises:
            StoreError: it was not written.
            WireError: the payload cannot be read.

        """
        self._ensure_open()
        stream = Stream(batch.stream)
        known = self._chains[stream].origins.get(name)
        if known is not None and known.epoch == batch.epoch and batch.seq <= known.seq:
            return None
        if self._gaps:
            self._try_declare()
        origin = Origin(name, batch.epoch, batch.seq)
        if stream is Stream.EVENTS:
            return self._take_events(batch, origin)
        packed = Packed(batch.count, batch.first_us, batch.last_us, batch.payload)
        return self._commit_anyway(stream, packed, Handed(origin, stamp_of(batch)))

    def taken(self, name: str, epoch: str) -> dict[Stream, int]:
        """Give the last number of each stream of another outbox that was taken."""
        found = {stream: chain.origins.get(name) for stream, chain in self._chains.items()}
        return {
            stream: origin.seq
            for stream, origin in found.items()
            if origin is not None and origin.epoch == epoch
        }

    def drop(self, stream: Stream, count: int) -> None:
        """Note items that were given up before they had a number; declared with the next commit."""
        self._drop(stream, count, GapReason.OVERFLOW)

    def prune(self, acknowledged: Acknowledged) -> int:
        """Remove segments that the cloud has altogether; gives how many.

        Raises:
            StoreError: the disk is full or failing.

        """
        self._acknowledged = dict(acknowledged)
        self._ensure_open()
        self._reserve.hold()
        if any(self._knows_more(chain) for chain in self._chains.values()):
            self._renew()
        removed = 0
        for chain in self._chains.values():
            known = self._known(chain)
            lost = parse(self._account.of(chain.stream).lost)
            sent = union(known, lost)
            done = [c for c in chain.closed if not difference(c.numbers, sent)]
            removed += self._forget(chain, done, lost)
        return removed

    def condemn(self, stream: Stream, numbers: Ranges) -> None:
        """Give up stored batches that do not verify.

        Raises:
            StoreError: the disk is full or failing.

        """
        self._ensure_open()
        stored = self._stored(stream)
        lost = difference(stored, difference(stored, numbers))
        self._gaps.extend(numbered_gaps(stream, self.epoch, lost, GapReason.DAMAGED))
        self._declare()

    def scrub(self, limit: int) -> list[tuple[Stream, int]]:
        """Verify the next ``limit`` stored batches of each stream; condemn and give damaged ones.

        Raises:
            StoreError: the disk is full or failing.

        """
        self._ensure_open()
        damaged: list[tuple[Stream, int]] = []
        for stream in Stream:
            chain = self._chains[stream]
            numbers = _after(self._stored(stream), self._scrubbed[stream], limit)
            self._scrubbed[stream] = numbers[-1] if len(numbers) == limit else 0
            bad = [seq for seq in numbers if not self._verifies(chain, seq)]
            if bad:
                self.condemn(stream, of_numbers(bad))
            damaged += [(stream, seq) for seq in bad]
        return damaged

    def size(self) -> int:
        """Bytes on disk of both streams."""
        return sum(chain.size() for chain in self._chains.values())

    def close(self) -> None:
        """Let go of the files."""
        for chain in self._chains.values():
            chain.close()

    def _known(self, chain: Chain) -> Ranges:
        return self._acknowledged.get((chain.stream.value, chain.epoch), ())

    def _knows_more(self, chain: Chain) -> bool:
        """Tell whether the cloud has numbers that come only now: this is an older copy."""
        known = self._known(chain)
        return bool(known) and known[-1][1] > chain.next_seq

    def _renew(self) -> None:
        """Begin a new epoch, so that no number is used twice."""
        log.error("outbox is an older copy, it begins a new epoch", extra={"epoch": self.epoch})
        self.close()
        self._is_open = False
        told = self._gaps  # of segments evicted before: nothing on disk knows of them any more
        origins = self._origins()
        gaps = epochs.retire(self._root, self.epoch, self._account, self._clock, told)
        self._account, self._chains = epochs.begin(self._root, self._clock)
        epochs.adopt_origins(self._chains, origins)
        self._is_open = True
        self._gaps = told + gaps
        self._try_declare()

    def _append(
        self,
        stream: Stream,
        items: Sequence[T],
        most: int,
        pack: Callable[[Sequence[T]], Packed],
        handed: Handed | None,
    ) -> Appended:
        self._ensure_open()
        if self._gaps:
            self._try_declare()
        committed: list[Committed] = []
        taken = 0
        while taken < len(items):
            packed = fitting(items[taken : taken + most], pack)
            try:
                if packed.payload:
                    committed.append(self._commit_anyway(stream, packed, handed))
                else:
                    self._drop(stream, packed.items, GapReason.TOO_LARGE)
            except StoreError:
                if not taken:
                    raise
                break
            taken += packed.items
        if self._gaps:
            self._try_declare()
        return Appended(tuple(committed), taken)

    def _commit_anyway(
        self, stream: Stream, packed: Packed, handed: Handed | None = None
    ) -> Committed:
        """Commit; where the active segment turns out to be damaged, open everything anew first.

        That puts damage aside where the checks see it; what still fails is put aside unseen.
        """
        for known_bad in (False, True):
            try:
                return self._commit(stream, packed, handed)
            except StoreDamagedError as exc:
                log.error("outbox damaged, it is opened anew", extra={"error": str(exc)})  # noqa: TRY400 - expected kind of damage
                self.close()
                self._is_open = False
                if known_bad:
                    chain = self._chains[stream]
                    meta = Meta(stream, chain.epoch, chain.active_first)
                    opening.rescue(self._root, meta, self._clock.wall_us(), exc)
            self._ensure_open()
        return self._commit(stream, packed, handed)

    def _ensure_open(self) -> None:
        """Open anew what damage closed. Numbers whose gap is not declared yet stay given away."""
        if self._is_open:
            return
        self.close()
        origins = self._origins()
        self._account, self._chains, gaps = epochs.resume(self._root, self._clock)
        epochs.adopt_origins(self._chains, origins)
        self._is_open = True
        self._gaps.extend(gaps)
        for gap in self._gaps:
            if gap.epoch == self.epoch:
                self._chains[Stream(gap.stream)].skip_to(gap.last + 1)
        self._find_holes()

    def _origins(self) -> dict[Stream, dict[str, Origin]]:
        return {stream: dict(chain.origins) for stream, chain in self._chains.items()}

    def _take_events(self, batch: Batch, origin: Origin) -> Committed:
        """Take events; what the other outbox lost is told as lost of this one.

        The numbers that stand for it are given away with the batch, or not at all.
        """
        before = {stream: (chain, chain.next_seq) for stream, chain in self._chains.items()}
        gaps: list[Gap] = []
        try:
            events, gaps = inherit(decode_events(batch.payload), self.epoch, self._skip)
            self._gaps += gaps
            handed = Handed(origin, stamp_of(batch))
            committed = self._commit_anyway(Stream.EVENTS, pack_events(events), handed)
        except (StoreError, WireError):
            self._gaps = [gap for gap in self._gaps if gap not in gaps]
            for stream, (chain, next_seq) in before.items():
                if self._chains[stream] is chain:
                    chain.next_seq = next_seq
            raise
        with contextlib.suppress(StoreError):
            self._account_lost(gaps)
            self._gaps = [gap for gap in self._gaps if gap not in gaps]
        return committed

    def _skip(self, stream: Stream) -> int:
        return self._chains[stream].skip()

    def _commit(self, stream: Stream, packed: Packed, handed: Handed | None = None) -> Committed:
        chain = self._chains[stream]
        stamp = self._stamp() if handed is None else handed.stamp
        seal = Seal(stream, self.epoch, chain.next_seq, *stamp)
        items, first_us, last_us, payload = packed
        message = seal_batch(seal, count=items, first_us=first_us, last_us=last_us, payload=payload)
        batch = open_batch(message)
        row = Row(batch.seq, items, first_us, last_us, message)
        origin = None if handed is None else handed.origin
        try:
            self._write_row(chain, row, origin)
        except StoreFullError:
            if not self._make_room():
                raise
            self._write_row(chain, row, origin)
        self._rotate_if_due(chain)
        return Committed(
            stream, self.epoch, row.seq, items, first_us, last_us, len(message), batch.sha256
        )

    def _drop(self, stream: Stream, count: int, reason: GapReason) -> None:
        """Give a number to what is given up, so that both ends can tell it is not there."""
        chain = self._chains[stream]
        seq = chain.skip()
        self._gaps.append(Gap(stream.value, self.epoch, seq, seq, count, reason.value))

    def _stamp(self) -> Stamp:
        clock = self._clock
        return Stamp(boot_id(), int(clock.monotonic() * 1e6), clock.quality())

    def _write_row(self, chain: Chain, row: Row, origin: Origin | None) -> None:
        self._reserve_numbers(chain)
        chain.append(row, origin)

    def _reserve_numbers(self, chain: Chain) -> None:
        """Note durably, before they are used, which numbers may be in use."""
        if chain.next_seq < self._account.of(chain.stream).reserved:
            return
        reserved = chain.next_seq + opening.RESERVE_STEP
        self._write(self._account.with_reserved(chain.stream, reserved))

    def _rotate_if_due(self, chain: Chain) -> None:
        if chain.active_bytes < self._settings.segment_bytes:
            return
        with contextlib.suppress(StoreError):
            # The batch is safe; the next commit tries again.
            chain.rotate(self._clock.wall_us())
            room = self._settings.max_bytes - HEADROOM_SEGMENTS * self._settings.segment_bytes
            while self.size() > room and self._evict_oldest():
                pass

    def _make_room(self) -> bool:
        """Free space on a full disk, for one more try."""
        if not self._evict_oldest() and not self._reserve.release():
            return False
        for chain in self._chains.values():
            chain.checkpoint()
        return True

    def _evict_oldest(self) -> bool:
        """Give up the oldest closed segment of samples. False where there is none.

        Its gap waits for the next append: this one may be of an event itself.
        """
        chain = self._chains[Stream.SAMPLES]
        if not chain.closed:
            return False
        oldest = chain.closed[0]
        known = self._known(chain)
        lost = difference(oldest.numbers, union(known, self._account.gone(chain.stream)))
        gaps = self._describe(chain, oldest, lost)
        chain.remove(oldest)
        self._gaps.extend(gaps)
        log.warning(
            "outbox full, oldest samples given up",
            extra={"segment": oldest.first, "batches": sum(g.last - g.first + 1 for g in gaps)},
        )
        return True

    def _describe(self, chain: Chain, closed: Closed, lost: Ranges) -> list[Gap]:
        gaps = numbered_gaps(chain.stream, chain.epoch, lost, GapReason.FULL)
        try:
            totals = chain.total_of(closed, lost)
        except StoreError:
            return gaps
        return [
            Gap(g.stream, g.epoch, g.first, g.last, t.items, g.reason, t.first_us, t.last_us)
            for g, t in zip(gaps, totals, strict=True)
        ]

    def _forget(self, chain: Chain, done: list[Closed], lost: Ranges) -> int:
        """Account for acknowledged segments durably, then unlink them."""
        if not done:
            return 0
        account = self._account
        for closed in done:
            sent = difference(closed.numbers, lost)
            account = account.with_pruned(chain.stream, sent, _items(chain, closed, sent))
        self._write(account)
        for closed in done:
            chain.remove(closed)
        return len(done)

    def _stored(self, stream: Stream) -> Ranges:
        """Give the numbers that are here and not given up, declared or about to be."""
        waiting = ranges_of(self._gaps, stream, self.epoch)
        return difference(
            self._chains[stream].numbers(), union(self._account.gone(stream), waiting)
        )

    def _find_holes(self) -> None:
        """Numbers that were used, are not stored and did not leave properly are a gap."""
        for stream, chain in self._chains.items():
            used: Ranges = ((1, chain.next_seq),) if chain.next_seq > 1 else ()
            waiting = ranges_of(self._gaps, stream, self.epoch)
            here = union(chain.present(), self._account.gone(stream), waiting)
            lost = difference(used, here)
            self._gaps.extend(numbered_gaps(stream, self.epoch, lost, GapReason.DAMAGED))

    def _try_declare(self) -> None:
        """Declare gaps now, or keep them until the disk takes them."""
        with contextlib.suppress(StoreError):
            self._declare()

    def _declare(self) -> None:
        """Commit all gaps as events, then account for their numbers."""
        while self._gaps:
            some = self._gaps[:MAX_BATCH_EVENTS]
            now = self._clock.wall_us()
            self._commit_anyway(Stream.EVENTS, pack_events([gap_event(gap, now) for gap in some]))
            del self._gaps[: len(some)]
            self._account_lost(some)

    def _account_lost(self, gaps: Sequence[Gap]) -> None:
        account = self._account
        for gap in gaps:
            if gap.epoch == self.epoch and gap.first <= gap.last:
                account = account.with_lost(gap.stream, ((gap.first, gap.last + 1),))
        if account is not self._account:
            self._write(account)

    def _verifies(self, chain: Chain, seq: int) -> bool:
        try:
            row = chain.message(seq)
            batch = open_batch(row.message if row else b"")
        except (WireError, StoreDamagedError):
            return False
        return (batch.stream, batch.epoch, batch.seq) == (chain.stream.value, chain.epoch, seq)

    def _write(self, account: Account) -> None:
        with store_errors(self._root):
            files.write_account(self._root, account)
        self._account = account


def _items(chain: Chain, closed: Closed, sent: Ranges) -> int | None:
    """Count what was sent of a segment; None where it cannot be read any more."""
    if sent == closed.numbers:
        return closed.total.items
    try:
        return sum(total.items for total in chain.total_of(closed, sent))
    except StoreError:
        return None


def _after(stored: Ranges, last: int, limit: int) -> list[int]:
    """List the next ``limit`` numbers after ``last``."""
    numbers: list[int] = []
    for low, high in stored:
        start = max(low, last + 1)
        numbers.extend(range(start, min(high, start + limit - len(numbers))))
        if len(numbers) >= limit:
            break
    return numbers
