"""The agent's view: whatever the writer does meanwhile, a look is right and quick."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.ranges import size
from edge_runtime.outbox import folder as files
from edge_runtime.outbox import segment as segments
from edge_runtime.outbox.segment import Total
from edge_runtime.outbox.weights import BatchIndex, SegmentIndex, Weight, add

SAMPLES, EVENTS = Stream.SAMPLES, Stream.EVENTS
ALL = 1 << 30


def test_an_outbox_that_is_not_there_yet_is_empty(reader):
    assert not reader.changed()
    assert reader.epoch() == ""
    assert reader.stored(SAMPLES) == ()
    assert reader.load(SAMPLES, [1, 2], ALL) == []
    assert reader.weigh(SAMPLES, ((1, 9),)) == Weight(0, 0, None)


def test_a_commit_is_noticed_once(opened, reader, noisy):
    with opened() as store:
        assert reader.changed()
        assert not reader.changed()
        store.append_samples(noisy(1))
        assert reader.changed()
        assert not reader.changed()


def test_asking_for_something_else_does_not_hide_a_change(opened, reader, noisy):
    with opened() as store:
        reader.changed()
        store.append_samples(noisy(1))
        assert reader.stored(SAMPLES) == ((1, 2),)
        assert reader.changed()


def test_batches_are_seen_across_rotations(opened, reader, noisy):
    with opened() as store:
        for seed in range(1, 101):
            store.append_samples(noisy(seed))
            assert reader.stored(SAMPLES) == ((1, seed + 1),)


def test_load_keeps_the_order_asked_for_and_the_limit(opened, reader, noisy):
    with opened() as store:
        for seed in range(1, 61):
            store.append_samples(noisy(seed))
        found = reader.load(SAMPLES, [60, 1, 30, 999], ALL)
        assert [b.seq for b in found] == [60, 1, 30]
        limit = len(found[0].message) + len(found[1].message)
        assert [b.seq for b in reader.load(SAMPLES, [60, 1, 30], limit)] == [60, 1]
        assert [b.seq for b in reader.load(SAMPLES, [60, 1], 1)] == [60]


def test_segments_may_vanish_between_listing_and_opening(opened, reader, root, noisy):
    with opened() as store:
        for seed in range(1, 101):
            store.append_samples(noisy(seed))
        assert reader.stored(SAMPLES) == ((1, 101),)
        second = files.list_segments(root, SAMPLES)[1]
        segments.remove(segments.path_of(files.stream_path(root, SAMPLES), 1))
        assert [b.seq for b in reader.load(SAMPLES, [1, second, 100], ALL)] == [second, 100]


def test_pruned_numbers_are_no_longer_stored(opened, reader, noisy):
    with opened() as store:
        for seed in range(1, 101):
            store.append_samples(noisy(seed))
        reader.stored(SAMPLES)
        store.prune({(SAMPLES, store.epoch): ((1, 101),)})
        assert reader.changed()
        assert reader.stored(SAMPLES)[0][0] > 1


def test_a_new_outbox_in_the_same_place_is_noticed(opened, reader, root, noisy):
    with opened() as store:
        store.append_samples(noisy(1))
        first = reader.epoch()
        reader.stored(SAMPLES)
    for stream in Stream:
        for number in files.list_segments(root, stream):
            segments.remove(segments.path_of(files.stream_path(root, stream), number))
    files.epoch_path(root).unlink()
    with opened() as store:
        assert reader.changed()
        assert reader.epoch() == store.epoch != first
        assert reader.stored(SAMPLES) == ()


def test_weights_agree_with_what_is_there(opened, reader, noisy):
    with opened() as store:
        for seed in range(1, 101):
            store.append_samples(noisy(seed, 100 + seed))
    for ranges in (((1, 101),), ((3, 4),), ((5, 40), (41, 99)), ((90, 500),), ((200, 300),)):
        numbers = [n for low, high in ranges for n in range(low, min(high, 101))]
        oldest = 1_000_000 * numbers[0] if numbers else None
        expected = Weight(len(numbers), sum(100 + n for n in numbers), oldest)
        assert reader.weigh(SAMPLES, ranges) == expected


def test_damaged_closed_segments_do_not_stop_the_reader(opened, reader, root, noisy):
    with opened() as store:
        for seed in range(1, 101):
            store.append_samples(noisy(seed))
        segments.path_of(files.stream_path(root, SAMPLES), 1).write_bytes(b"no database" * 99)
        assert reader.stored(SAMPLES)[-1][1] == 101
        assert [b.seq for b in reader.load(SAMPLES, [100], ALL)] == [100]


def test_a_reader_in_another_process_sees_every_batch(opened, root, noisy):
    with opened() as store:
        store.append_events([Event("e", "x", 1, {})])
        command = [sys.executable, "-c", COUNT, str(root), "80"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            for seed in range(1, 81):
                store.append_samples(noisy(seed))
            answer, _ = process.communicate(timeout=20)
    assert answer.split() == [str(n) for n in range(1, 81)]


COUNT = """
import sys, time
from pathlib import Path
from edge_runtime.outbox.reader import OutboxReader
reader, seen = OutboxReader(Path(sys.argv[1])), 0
print("ready", flush=True)
while seen < int(sys.argv[2]):
    if not reader.changed():
        time.sleep(0.001)
        continue
    high = reader.stored("samples")[-1][1] if reader.stored("samples") else 1
    for batch in reader.load("samples", range(seen + 1, high), 1 << 30):
        print(batch.seq)
        seen = batch.seq
"""


@given(
    st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=6), min_size=1, max_size=8),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_running_sums_agree_with_counting(parts, low, high):
    seq, totals, indices, items = 1, [], {}, {}
    for part in parts:
        index = indices[seq] = BatchIndex()
        rows = [(seq + i, count, 10 * (seq + i)) for i, count in enumerate(part)]
        index.extend(rows)
        items |= {s: c for s, c, _ in rows}
        totals.append((seq, Total(rows[-1][0], len(part), sum(part), rows[0][2], rows[-1][2])))
        seq += len(part)
    before, whole, after = SegmentIndex(totals).split(low, high)
    cut = [indices[first].weigh(low, high) for first in before]
    found = add([*cut, whole, *(indices[first].weigh(low, high) for first in after)])
    inside = [s for s in sorted(items) if low <= s < high]
    expected = Weight(
        len(inside), sum(items[s] for s in inside), 10 * inside[0] if inside else None
    )
    assert found == expected
    assert size(((low, max(low, high)),)) >= found.batches


def test_weights_agree_with_the_books_while_segments_go(opened, reader, noisy):
    with opened() as store:
        for seed in range(1, 101):
            store.append_samples(noisy(seed))
        books = reader.books(SAMPLES)
        store.prune({(SAMPLES, store.epoch): ((1, 101),)})
        assert reader.weigh(SAMPLES, books.stored).samples + books.pruned_items == 20_000
        books = reader.books(SAMPLES)
        assert reader.weigh(SAMPLES, books.stored).samples + books.pruned_items == 20_000


def test_batches_of_the_epoch_before_are_not_taken_for_damage(opened, reader, noisy):
    with opened() as store:
        store.append_samples(noisy(1))
        assert reader.load(SAMPLES, [1], ALL)
        store.prune({(SAMPLES, store.epoch): ((1, 10),)})
        store.append_samples(noisy(2))
        (batch,) = reader.load(SAMPLES, [1], ALL)
        assert batch.first_us == 2_000_000
        assert reader.damaged(SAMPLES) == ()
