"""Damage that shows only while the outbox works, or only in one table: it goes on all the same."""

import sqlite3  # noqa: TID251 - damages a store from outside
from contextlib import closing

import pytest

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.ranges import contains
from edge_runtime.errors import StoreError
from edge_runtime.outbox import folder as files
from edge_runtime.outbox import segment as segments

SAMPLES, EVENTS = Stream.SAMPLES, Stream.EVENTS
LOSE_BATCHES = "ALTER TABLE batch RENAME TO other"
LOSE_MESSAGES = "ALTER TABLE batch RENAME COLUMN message TO other"
REFUSE_BATCHES = """
CREATE TRIGGER refuse BEFORE INSERT ON batch BEGIN INSERT INTO nowhere VALUES (1); END
"""
LOSE_ONE = "DELETE FROM batch WHERE seq = 3"
LOSE_TOTAL = "DELETE FROM total"
WRONG_TOTALS = [
    "UPDATE total SET last = 1099511627776",
    "UPDATE total SET last = -1",
    "UPDATE total SET batches = 1000",
    "UPDATE total SET items = 'many'",
    "UPDATE total SET first_us = x'ff'",
    "UPDATE total SET last = 1.5",
]


@pytest.fixture
def filled(opened, noisy):
    """Two segments of samples and one of events."""
    with opened() as store:
        for seed in range(1, 51):
            store.append_samples(noisy(seed))
        store.append_events([event(1)])
        return store.epoch


@pytest.fixture
def damage(root):
    """Run SQL on a segment behind the outbox's back."""

    def run(place, *statements, stream=SAMPLES):
        first = files.list_segments(root, stream)[place]
        path = segments.path_of(files.stream_path(root, stream), first)
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    return run


def event(number):
    return Event(f"e{number}", "test", number, {})


def test_a_newest_segment_that_cannot_take_or_give_messages_is_put_aside(
    filled, opened, noisy, damage
):
    damage(-1, LOSE_MESSAGES)
    with opened() as store:
        assert store.append_samples(noisy(1)).committed[0].seq > 50
        assert store.epoch == filled


def test_a_newest_segment_is_put_aside_when_no_check_sees_what_is_wrong(
    filled, opened, reader, noisy, damage
):
    damage(-1, REFUSE_BATCHES)
    with opened() as store:
        assert store.append_samples(noisy(1)).committed[0].seq > 51
    assert reader.stored(SAMPLES)[0] == (1, 51)


@pytest.mark.parametrize("statement", WRONG_TOTALS)
def test_totals_that_cannot_be_right_are_counted_anew(filled, opened, reader, damage, statement):
    damage(0, statement)
    assert reader.stored(SAMPLES) == ((1, 51),)
    with opened() as store:
        assert store.scrub(1_000) == []
    assert reader.stored(SAMPLES) == ((1, 51),)
    assert reader.weigh(SAMPLES, ((1, 51),)).samples == 50 * 200


@pytest.mark.parametrize("value", ["'text'", "CAST(x'ff' AS TEXT)", "x'ff'", "7"])
def test_a_column_of_any_other_type_costs_one_batch(filled, opened, reader, damage, value):
    columns = ("items", "first_us", "last_us", "message")
    settings = ", ".join(f"{name} = {value}" for name in columns)
    damage(0, f"UPDATE batch SET {settings} WHERE seq = 3", LOSE_TOTAL)
    assert reader.weigh(SAMPLES, reader.stored(SAMPLES)).batches == 50
    with opened() as store:
        store.scrub(1_000)
    assert reader.books(SAMPLES).lost == ((3, 4),)


@pytest.mark.parametrize("sort", ["newest", "closed"])
def test_a_schema_that_is_not_utf_8_is_damage(filled, opened, root, noisy, sort):
    place = -1 if sort == "newest" else 0
    first = files.list_segments(root, SAMPLES)[place]
    path = segments.path_of(files.stream_path(root, SAMPLES), first)
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CREATE\xff\xffABLE"))
    with opened() as store:
        assert store.append_samples(noisy(1)).committed[0].seq > 50


def test_a_closed_segment_with_a_hole_may_lose_its_batches(filled, opened, root, reader, damage):
    second = files.list_segments(root, SAMPLES)[1]
    damage(0, LOSE_ONE, LOSE_TOTAL)
    with opened():
        pass
    damage(0, LOSE_BATCHES)
    with opened() as store:
        lost = [seq for _, seq in store.scrub(1_000)]
    assert lost == [1, 2, *range(4, second)]
    assert reader.stored(SAMPLES) == ((second, 51),)


def test_a_segment_that_cannot_be_counted_any_more_is_pruned(filled, opened, root, reader, damage):
    second = files.list_segments(root, SAMPLES)[1]
    with opened() as store:
        store.condemn(SAMPLES, ((3, 4),))
        damage(0, LOSE_BATCHES)
        assert store.prune({(SAMPLES.value, filled): ((1, 3), (4, second))}) == 1
    assert reader.books(SAMPLES).pruned_items is None


def test_an_outbox_that_could_not_be_opened_anew_tries_again(filled, opened, root, noisy, damage):
    (root / files.QUARANTINE).write_text("in the way")
    with opened() as store:
        damage(-1, LOSE_BATCHES)
        for _ in range(2):
            with pytest.raises(StoreError):
                store.append_samples(noisy(1))
        (root / files.QUARANTINE).unlink()
        assert store.append_samples(noisy(1)).committed[0].seq > 50
        assert store.scrub(1_000) == []


def test_a_number_given_away_is_not_used_after_opening_anew(filled, opened, reader, noisy, damage):
    with opened() as store:
        damage(-1, LOSE_BATCHES, stream=EVENTS)
        store.drop(SAMPLES, 9)
        store.append_events([event(2)])
        (committed,) = store.append_samples(noisy(1)).committed
    assert committed.seq == 52
    assert reader.books(SAMPLES).lost == ((51, 52),)


def test_scrub_tells_of_damage_through_a_damaged_segment_of_events(filled, opened, reader, damage):
    damage(0, "UPDATE batch SET message = zeroblob(9) WHERE seq = 3")
    with opened() as store:
        damage(-1, LOSE_BATCHES, stream=EVENTS)
        assert (SAMPLES, 3) in store.scrub(1_000)
    assert contains(reader.books(SAMPLES).lost, 3)
