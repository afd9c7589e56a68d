"""Anything may happen to an outbox, in any order: every number stays accounted for."""

import shutil
import sqlite3  # noqa: TID251 - damages a store from outside
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.events import Event, EventKind, Gap, body_of, decode_events
from cloud_sync.wire.ranges import contains, of_numbers, union
from cloud_sync.wire.samples import Sample
from edge_runtime.outbox import folder as files
from edge_runtime.outbox import segment as segments
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Store
from simulators.manual_clock import ManualClock

SETTINGS = OutboxSettings(segment_bytes=64 << 10, max_bytes=1 << 20)
SAMPLES, EVENTS = Stream.SAMPLES, Stream.EVENTS
PLACES = st.integers(0, 1 << 30)


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.root = self.folder / "outbox"
        self.clock = ManualClock()
        self.reader = OutboxReader(self.root)
        self.said: dict[tuple[str, int], bytes] = {}
        self.spoilt: set[int] = set()
        self.acknowledged = ()
        self.turn = 0
        self.store = Store.open(self.root, SETTINGS, self.clock)
        self.epoch = self.store.epoch

    def teardown(self):
        self.reader.close()
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(batches=st.integers(1, 12))
    def append(self, batches):
        for _ in range(batches):
            self.turn += 1
            samples = [
                Sample("pump/flow", self.turn * 1_000 + i, (self.turn * 7_919 + i * i) / 7)
                for i in range(600)
            ]
            for committed in self.store.append_samples(samples).committed:
                self.note(committed)

    @rule()
    def append_event(self):
        self.turn += 1
        event = Event(f"e{self.turn}", "test", self.turn, {})
        for committed in self.store.append_events([event]).committed:
            self.note(committed)

    def note(self, committed):
        assert (committed.stream, committed.seq) not in self.said
        self.said[committed.stream, committed.seq] = committed.sha256

    @rule(count=st.integers(1, 99))
    def drop(self, count):
        self.store.drop(SAMPLES, count)

    @rule(place=PLACES, length=st.integers(1, 60))
    def acknowledge_some(self, place, length):
        numbers = sorted(seq for stream, seq in self.said if stream == SAMPLES)
        if numbers:
            start = place % len(numbers)
            some = of_numbers(numbers[start : start + length])
            self.acknowledged = union(self.acknowledged, some)
        self.store.prune({(SAMPLES, self.epoch): self.acknowledged})

    @rule()
    def reopen(self):
        self.store.close()
        self.store = Store.open(self.root, SETTINGS, self.clock)

    @rule(place=PLACES)
    def spoil_a_batch(self, place):
        stored = [n for low, high in self.reader.stored(SAMPLES) for n in range(low, high)]
        if not stored:
            return
        seq = stored[place % len(stored)]
        first = max(f for f in files.list_segments(self.root, SAMPLES) if f <= seq)
        path = segments.path_of(files.stream_path(self.root, SAMPLES), first)
        connection = sqlite3.connect(path)
        connection.execute("UPDATE batch SET message=zeroblob(9) WHERE seq=?", (seq,))
        connection.commit()
        connection.close()
        self.spoilt.add(seq)

    @rule()
    def scrub(self):
        self.store.scrub(1_000)

    @rule(place=PLACES, how=st.sampled_from(["delete", "garble", "cut"]))
    def damage_a_segment(self, place, how):
        self.reader.close()
        self.store.close()
        firsts = files.list_segments(self.root, SAMPLES)
        path = segments.path_of(files.stream_path(self.root, SAMPLES), firsts[place % len(firsts)])
        segments.remove_side_files(path)
        if how == "delete":
            segments.remove(path)
        elif how == "garble":
            path.write_bytes(b"no database" * 1_000)
        else:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        self.store = Store.open(self.root, SETTINGS, self.clock)

    @precondition(lambda self: self.turn > 3)
    @rule()
    def lose_the_epoch_file(self):
        self.store.close()
        files.epoch_path(self.root).unlink()
        self.store = Store.open(self.root, SETTINGS, self.clock)

    @invariant()
    def the_epoch_stays(self):
        assert self.store.epoch == self.epoch == self.reader.epoch()

    @invariant()
    def every_number_is_accounted_for(self):
        self.store.append_events([Event(f"now{self.turn}", "test", self.turn, {})])
        for stream in Stream:
            books = self.reader.books(stream)
            everywhere = union(books.stored, books.pruned, books.lost, self.reader.damaged(stream))
            used = [seq for name, seq in self.said if name == stream]
            assert len(everywhere) <= 1
            assert all(contains(everywhere, seq) for seq in used)

    @invariant()
    def what_is_stored_is_what_was_committed(self):
        numbers = [n for low, high in self.reader.stored(SAMPLES) for n in range(low, high)]
        found = {b.seq: b.message for b in self.reader.load(SAMPLES, numbers, 1 << 40)}
        assert set(numbers) - set(found) <= self.spoilt
        for seq, message in found.items():
            assert open_batch(message).sha256 == self.said[SAMPLES, seq]

    @invariant()
    def every_loss_was_declared(self):
        numbers = [n for low, high in self.reader.stored(EVENTS) for n in range(low, high)]
        found = self.reader.load(EVENTS, numbers, 1 << 40)
        events = [e for b in found for e in decode_events(open_batch(b.message).payload)]
        gaps = [body_of(event, Gap) for event in events if event.kind == EventKind.GAP]
        told = union((g.first, g.last + 1) for g in gaps if g.stream == SAMPLES)
        assert told == self.reader.books(SAMPLES).lost


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(
    max_examples=6, stateful_step_count=15, deadline=None, print_blob=True
)
