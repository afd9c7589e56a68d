"""Numbers go on, are never used twice, and every one is accounted for."""

import random

import pytest

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.events import Event
from cloud_sync.wire.samples import Sample, decode_samples
from cloud_sync.wire.version import MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES, MAX_UNPACKED_BYTES
from edge_runtime.outbox import folder as files
from edge_runtime.outbox.gaps import GapReason

SAMPLES, EVENTS = Stream.SAMPLES, Stream.EVENTS


def fill(store, noisy, batches, count=200):
    appended = [store.append_samples(noisy(seed, count)) for seed in range(1, batches + 1)]
    return [committed.seq for each in appended for committed in each.committed]


def test_what_was_appended_is_what_travels(opened, reader, noisy):
    with opened() as store:
        (committed,) = store.append_samples(noisy(1)).committed
    (stored,) = reader.load(SAMPLES, [1], 1 << 20)
    batch = open_batch(stored.message)
    assert decode_samples(batch.payload) == noisy(1)
    assert (batch.seq, batch.count, batch.sha256) == (1, 200, committed.sha256)
    assert (committed.first_us, committed.last_us) == (1_000_000, 1_000_199)


def test_numbers_go_on_after_reopening(opened, noisy):
    with opened() as store:
        fill(store, noisy, 3)
        epoch = store.epoch
    with opened() as store:
        assert store.append_samples(noisy(4)).committed[0].seq == 4
        assert store.epoch == epoch


def test_each_stream_counts_for_itself(opened, noisy):
    with opened() as store:
        fill(store, noisy, 2)
        assert store.append_events([Event("e1", "x", 5, {})]).committed[0].seq == 1


def test_a_full_segment_is_closed_and_the_next_one_goes_on(opened, reader, root, noisy):
    with opened() as store:
        assert fill(store, noisy, 120) == list(range(1, 121))
    firsts = files.list_segments(root, SAMPLES)
    assert firsts[0] == 1
    assert len(firsts) > 2
    assert reader.stored(SAMPLES) == ((1, 121),)
    assert [b.seq for b in reader.load(SAMPLES, range(1, 121), 1 << 30)] == list(range(1, 121))


def test_acknowledged_segments_go_and_the_active_one_stays(opened, reader, root, noisy):
    with opened() as store:
        fill(store, noisy, 120)
        removed = store.prune({(SAMPLES, store.epoch): ((1, 121),)})
        assert removed == len(files.list_segments(root, SAMPLES)) + removed - 1 > 1
        assert store.append_samples(noisy(121)).committed[0].seq == 121
    books = reader.books(SAMPLES)
    assert books.pruned[0][1] == books.stored[0][0]
    assert books.pruned_items == 200 * (books.pruned[0][1] - 1)
    with opened() as store:
        assert store.append_samples(noisy(122)).committed[0].seq == 122


def test_a_segment_with_one_batch_unacknowledged_stays(opened, reader, noisy):
    with opened() as store:
        fill(store, noisy, 120)
        store.prune({(SAMPLES, store.epoch): ((1, 5), (6, 121))})
    assert reader.stored(SAMPLES)[0][0] == 1


def test_acknowledgements_of_another_epoch_remove_nothing(opened, reader, noisy):
    with opened() as store:
        fill(store, noisy, 120)
        assert store.prune({(SAMPLES, "0123456789abcdef"): ((1, 121),)}) == 0
    assert reader.stored(SAMPLES) == ((1, 121),)


def test_the_oldest_samples_give_way_at_the_cap_and_become_a_gap(opened, reader, gaps_of, noisy):
    with opened() as store:
        fill(store, noisy, 250, 800)
        assert store.size() <= 1 << 20
    ((first, last),) = reader.stored(SAMPLES)
    assert last == 251
    assert first > 1
    gaps = gaps_of()
    assert {gap.reason for gap in gaps} == {GapReason.FULL.value}
    assert sum(gap.count for gap in gaps) == 800 * (first - 1)
    assert reader.books(SAMPLES).lost == ((1, first),)
    assert gaps[0].first_us == 1_000_000


def test_events_are_kept_at_the_cap(opened, reader, noisy):
    with opened() as store:
        for n in range(50):
            store.append_events([Event(f"e{n}", "x", n, {"text": "y" * 500})])
        fill(store, noisy, 250, 800)
    assert reader.stored(EVENTS)[0][0] == 1


def test_acknowledged_batches_are_no_gap_when_they_give_way(opened, gaps_of, reader, noisy):
    with opened() as store:
        fill(store, noisy, 100)
        store.prune({(SAMPLES, store.epoch): ((2, 101),)})
        fill(store, noisy, 250, 800)
    assert (gaps_of()[0].first, gaps_of()[0].last, gaps_of()[0].count) == (1, 1, 200)
    assert reader.books(SAMPLES).lost[0] == (1, 2)


def test_dropped_samples_become_a_gap_with_a_number(opened, reader, gaps_of, noisy):
    with opened() as store:
        store.append_samples(noisy(1))
        store.drop(SAMPLES, 77)
        assert store.append_samples(noisy(2)).committed[0].seq == 3
    (gap,) = gaps_of()
    assert (gap.first, gap.last, gap.count, gap.reason) == (2, 2, 77, GapReason.OVERFLOW)
    assert reader.stored(SAMPLES) == ((1, 2), (3, 4))


def test_a_dropped_number_at_the_end_is_not_used_after_reopening(opened, reader, noisy):
    with opened() as store:
        store.append_samples(noisy(1))
        store.drop(SAMPLES, 5)
        store.append_events([Event("e", "x", 1, {})])
    with opened() as store:
        assert store.append_samples(noisy(2)).committed[0].seq == 3
    assert reader.books(SAMPLES).lost == ((2, 3),)


def test_what_does_not_fit_one_batch_becomes_several(opened, reader):
    events = [Event(f"e{n}", "x", n, {}) for n in range(MAX_BATCH_EVENTS + 5)]
    with opened() as store:
        appended = store.append_events(events)
    assert [c.count for c in appended.committed] == [MAX_BATCH_EVENTS, 5]
    assert appended.taken == len(events)


def test_what_would_unpack_to_too_much_becomes_several(opened, reader):
    samples = [Sample("a/b", n, "x" * 10_000) for n in range(2 * MAX_UNPACKED_BYTES // 10_000)]
    with opened() as store:
        appended = store.append_samples(samples)
    assert appended.taken == len(samples)
    stored = reader.load(SAMPLES, range(1, 9), 1 << 30)
    assert sum(len(decode_samples(open_batch(b.message).payload)) for b in stored) == len(samples)


def test_one_sample_too_large_for_any_batch_becomes_a_gap(opened, gaps_of, reader):
    noise = random.Random(1).randbytes(MAX_PAYLOAD_BYTES).hex()
    samples = [Sample("a/b", 1, "fine"), Sample("a/b", 2, noise), Sample("a/b", 3, "fine")]
    with opened() as store:
        appended = store.append_samples(samples)
    assert appended.taken == 3
    assert [gap.reason for gap in gaps_of()] == [GapReason.TOO_LARGE]
    assert sum(batch.count for batch in appended.committed) == 2


def test_an_older_copy_of_the_outbox_begins_a_new_epoch(opened, reader, gaps_of, noisy):
    with opened() as store:
        fill(store, noisy, 3)
        old = store.epoch
        store.prune({(SAMPLES, old): ((1, 10),)})
        assert store.epoch != old
        assert store.append_samples(noisy(9)).committed[0].seq == 1
    assert reader.epoch() != old
    assert {(gap.epoch, gap.reason) for gap in gaps_of()} == {(old, GapReason.EPOCH)}


def test_a_new_epoch_forgets_no_gap_that_waits_to_be_told(opened, gaps_of, noisy):
    with opened() as store:
        fill(store, noisy, 3)
        old = store.epoch
        store.drop(Stream.SAMPLES, 7)
        store.prune({(SAMPLES, old): ((1, 10),)})
    told = gaps_of()
    assert [(gap.epoch, gap.count) for gap in told if gap.reason == GapReason.OVERFLOW] == [
        (old, 7)
    ]
    numbers = [(gap.stream, n) for gap in told for n in range(gap.first, gap.last + 1)]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("epoch", ["", "zz", "0123456789ABCDEF", "0123"])
def test_a_damaged_epoch_file_is_replaced_from_the_segments(opened, root, noisy, epoch):
    with opened() as store:
        fill(store, noisy, 2)
        old = store.epoch
    files.epoch_path(root).write_text(epoch)
    with opened() as store:
        assert store.epoch == old
        assert store.append_samples(noisy(3)).committed[0].seq == 3
