"""Damage costs what is damaged: it is put aside, told, and never stops the outbox."""

import sqlite3  # noqa: TID251 - damages a store from outside

import pytest

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from edge_runtime.errors import StoreError
from edge_runtime.outbox import folder as files
from edge_runtime.outbox import opening
from edge_runtime.outbox import segment as segments
from edge_runtime.outbox.gaps import GapReason

SAMPLES, EVENTS = Stream.SAMPLES, Stream.EVENTS


@pytest.fixture
def filled(opened, noisy):
    with opened() as store:
        for seed in range(1, 101):
            store.append_samples(noisy(seed))
        store.append_events([Event("e1", "x", 1, {})])
        return store.epoch


def segment_path(root, place):
    return segments.path_of(
        files.stream_path(root, SAMPLES), files.list_segments(root, SAMPLES)[place]
    )


def overwrite(path, offset, data):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def lost_of(reader):
    return [n for low, high in reader.books(SAMPLES).lost for n in range(low, high)]


def test_a_destroyed_closed_segment_is_quarantined_and_becomes_a_gap(
    filled, opened, root, reader, gaps_of
):
    first, second = files.list_segments(root, SAMPLES)[1:3]
    segment_path(root, 1).write_bytes(b"no database" * 100)
    with opened() as store:
        assert store.epoch == filled
    (gap,) = gaps_of()
    assert (gap.first, gap.last + 1, gap.reason) == (first, second, GapReason.DAMAGED)
    assert len(list((root / files.QUARANTINE).glob("samples-*.db"))) == 1
    assert reader.stored(SAMPLES) == ((1, first), (second, 101))


def test_a_deleted_segment_becomes_a_gap(filled, opened, root, reader, gaps_of):
    first, second = files.list_segments(root, SAMPLES)[:2]
    segments.remove(segment_path(root, 0))
    with opened():
        pass
    assert [(g.first, g.last + 1) for g in gaps_of()] == [(first, second)]


def test_a_gap_is_told_once(filled, opened, root, gaps_of):
    segments.remove(segment_path(root, 0))
    for _ in range(3):
        with opened():
            pass
    assert len(gaps_of()) == 1


def test_a_damaged_newest_segment_skips_reserved_numbers(filled, opened, root, reader, noisy):
    newest = files.list_segments(root, SAMPLES)[-1]
    segments.remove_side_files(segment_path(root, -1))
    segment_path(root, -1).write_bytes(b"no database" * 100)
    with opened() as store:
        (committed,) = store.append_samples(noisy(1)).committed
        assert store.epoch == filled
    assert 100 < committed.seq <= 101 + opening.RESERVE_STEP
    assert lost_of(reader) == list(range(newest, committed.seq))


def test_what_verifies_in_a_damaged_segment_is_rescued(filled, opened, root, reader):
    path = segment_path(root, 0)
    connection = sqlite3.connect(path)
    page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name='total'").fetchone()[0]
    connection.close()
    overwrite(path, (page - 1) * segments.PAGE_SIZE, b"\xff" * 64)
    with opened():
        pass
    assert reader.stored(SAMPLES) == ((1, 101),)
    assert len(reader.load(SAMPLES, range(1, 101), 1 << 30)) == 100
    assert list((root / files.QUARANTINE).iterdir())


def test_a_newest_segment_that_was_rescued_takes_no_more(filled, opened, root, reader, noisy):
    path = segment_path(root, -1)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET epoch='ffffffffffffffff'")
    connection.commit()
    connection.close()
    with opened() as store:
        assert store.append_samples(noisy(7)).committed[0].seq > 101
    assert reader.stored(SAMPLES)[0] == (1, 101)


def test_a_missing_newest_segment_is_noticed(filled, opened, root, noisy):
    segments.remove(segment_path(root, -1))
    with opened() as store:
        assert store.append_samples(noisy(1)).committed[0].seq > 100
        assert store.epoch == filled


def test_without_account_and_newest_segment_a_new_epoch_begins(
    filled, opened, root, gaps_of, noisy
):
    segment_path(root, -1).write_bytes(b"no database" * 100)
    files.account_path(root).write_bytes(b"{")
    with opened() as store:
        assert store.epoch != filled
        assert store.append_samples(noisy(1)).committed[0].seq == 1
    assert {(g.epoch, g.reason) for g in gaps_of()} == {(filled, GapReason.EPOCH)}


def test_a_lost_account_alone_loses_nothing(filled, opened, root, reader, noisy):
    with opened() as store:
        store.prune({(SAMPLES, filled): ((1, 50),)})
    files.account_path(root).unlink()
    with opened() as store:
        assert store.append_samples(noisy(1)).committed[0].seq == 101
    books = reader.books(SAMPLES)
    assert not books.lost
    assert books.pruned_items is None
    assert books.pruned[0][1] == books.stored[0][0]


def test_a_batch_with_a_flipped_bit_is_not_sent(filled, root, reader):
    flip_bit_of_batch(segment_path(root, 0), 3)
    assert [b.seq for b in reader.load(SAMPLES, [2, 3, 4], 1 << 20)] == [2, 4]
    assert reader.damaged(SAMPLES) == ((3, 4),)
    assert reader.stored(SAMPLES) == ((1, 3), (4, 101))


def test_scrub_gives_up_what_does_not_verify(filled, opened, root, reader, gaps_of):
    flip_bit_of_batch(segment_path(root, 0), 3)
    with opened() as store:
        assert store.scrub(1_000) == [(SAMPLES, 3)]
        assert store.scrub(1_000) == []
    assert [(g.first, g.last, g.reason) for g in gaps_of()] == [(3, 3, GapReason.DAMAGED)]
    assert reader.stored(SAMPLES) == ((1, 3), (4, 101))


def test_scrub_walks_through_all_batches_piece_by_piece(filled, opened, root):
    flip_bit_of_batch(segment_path(root, 0), 12)
    with opened() as store:
        assert [store.scrub(5) for _ in range(3)] == [[], [], [(SAMPLES, 12)]]


def test_a_half_lost_segment_can_still_be_pruned(filled, opened, root, reader):
    flip_bit_of_batch(segment_path(root, 0), 3)
    with opened() as store:
        store.scrub(1_000)
        assert store.prune({(SAMPLES, filled): ((1, 3), (4, 101))}) > 0
    books = reader.books(SAMPLES)
    assert books.lost == ((3, 4),)
    assert books.pruned_items == 200 * (books.pruned[-1][1] - 2)


def test_a_crash_between_new_and_closed_segment_is_repaired(filled, opened, root, reader):
    path = segment_path(root, 0)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM total")
    connection.commit()
    connection.close()
    with opened():
        pass
    assert reader.stored(SAMPLES) == ((1, 101),)


def test_an_empty_file_in_place_of_a_segment_is_put_aside(filled, opened, root, reader, noisy):
    newest = segments.path_of(files.stream_path(root, SAMPLES), 101)
    sqlite3.connect(newest).close()
    newest.touch()
    with opened() as store:
        assert store.append_samples(noisy(1)).committed[0].seq >= 101
        assert store.epoch == filled
    assert reader.stored(SAMPLES)[0] == (1, 101)


def test_damage_while_running_costs_the_segment_and_nothing_else(
    filled, opened, root, gaps_of, noisy
):
    newest = files.list_segments(root, SAMPLES)[-1]
    with opened() as store:
        connection = sqlite3.connect(segment_path(root, -1))
        connection.execute("ALTER TABLE batch RENAME TO other")
        connection.commit()
        connection.close()
        (committed,) = store.append_samples(noisy(1)).committed
        assert committed.seq > 100
        assert store.epoch == filled
    assert [(g.first, g.last + 1) for g in gaps_of()] == [(newest, committed.seq)]


def test_weaker_settings_are_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "weak.db")
    connection.execute("PRAGMA journal_mode=DELETE")
    with pytest.raises(StoreError, match="journal_mode=delete"):
        segments.database.assert_durable(connection, tmp_path / "weak.db")
    connection.close()


def flip_bit_of_batch(path, seq):
    connection = sqlite3.connect(path)
    message = bytearray(
        connection.execute("SELECT message FROM batch WHERE seq=?", (seq,)).fetchone()[0]
    )
    message[len(message) // 2] ^= 4
    connection.execute("UPDATE batch SET message=? WHERE seq=?", (bytes(message), seq))
    connection.commit()
    connection.close()
