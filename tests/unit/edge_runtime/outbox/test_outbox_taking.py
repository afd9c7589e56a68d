"""Batches of another outbox: taken once, whatever happens to this one."""

import pytest

from cloud_sync.wire.batch import ClockQuality, Stream, open_batch
from cloud_sync.wire.errors import MessageDamagedError
from cloud_sync.wire.events import Event, EventKind, Gap
from cloud_sync.wire.samples import Sample, decode_samples
from edge_runtime.outbox.gaps import gap_event
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Store

ADAPTER = "serial-1"


class Other:
    """The outbox that hands over."""

    def __init__(self, folder, clock):
        self.folder = folder
        self.store = Store.open(folder, OutboxSettings(), clock)

    def batches(self, stream=Stream.SAMPLES):
        reader = OutboxReader(self.folder)
        numbers = [n for low, high in reader.stored(stream) for n in range(low, high)]
        found = [open_batch(b.message) for b in reader.load(stream, numbers, 1 << 30)]
        reader.close()
        return found


@pytest.fixture
def other(tmp_path, clock):
    other = Other(tmp_path / "other", clock)
    yield other
    other.store.close()


@pytest.fixture
def batches(other, noisy):
    for seed in range(1, 7):
        other.store.append_samples(noisy(seed))
    return other.batches()


def test_a_batch_is_taken_once(opened, batches):
    with opened() as store:
        assert store.take(ADAPTER, batches[0]).seq == 1
        assert store.take(ADAPTER, batches[0]) is None
        assert store.taken(ADAPTER, batches[0].epoch) == {Stream.SAMPLES: 1}


def test_it_stays_once_through_a_restart(opened, batches):
    with opened() as store:
        store.take(ADAPTER, batches[0])
        store.take(ADAPTER, batches[1])
    with opened() as store:
        assert [store.take(ADAPTER, batch) is None for batch in batches[:3]] == [True, True, False]


def test_two_adapters_have_numbers_of_their_own(opened, batches):
    with opened() as store:
        assert store.take(ADAPTER, batches[0]) is not None
        assert store.take("serial-2", batches[0]) is not None


def test_a_new_epoch_of_the_adapter_begins_anew(opened, batches, tmp_path, clock, noisy):
    with opened() as store:
        for batch in batches[:3]:
            store.take(ADAPTER, batch)
        anew = Other(tmp_path / "anew", clock)
        anew.store.append_samples(noisy(9))
        (first,) = anew.batches()
        assert store.take(ADAPTER, first) is not None
        assert store.taken(ADAPTER, batches[0].epoch) == {}
        anew.store.close()


def test_the_note_goes_along_into_new_segments(opened, root, batches, noisy):
    with opened() as store:
        store.take(ADAPTER, batches[0])
        for seed in range(60):
            store.append_samples(noisy(seed))
        epoch = store.epoch
        store.prune({(Stream.SAMPLES, epoch): ((1, 62),)})
    first = min(root.joinpath("samples").glob("*.db"))
    assert int(first.stem) > 1
    with opened() as store:
        assert store.take(ADAPTER, batches[0]) is None


def test_the_note_goes_along_into_a_new_epoch(opened, batches):
    with opened() as store:
        store.take(ADAPTER, batches[0])
        store.prune({(Stream.SAMPLES, store.epoch): ((1, 1_000),)})
        assert store.take(ADAPTER, batches[0]) is None
    with opened() as store:
        assert store.take(ADAPTER, batches[0]) is None


def test_the_note_outlives_numbers_that_cannot_be_known(opened, root, batches):
    with opened() as store:
        store.take(ADAPTER, batches[0])
        epoch = store.epoch
    root.joinpath("account.json").unlink()
    for path in root.joinpath("events").glob("*.db"):
        path.unlink()
    with opened() as store:
        assert store.epoch != epoch
        assert store.take(ADAPTER, batches[0]) is None


def test_a_damaged_newest_segment_falls_back_to_the_one_before(opened, root, batches, noisy):
    with opened() as store:
        store.take(ADAPTER, batches[0])
        while len(list(root.joinpath("samples").glob("*.db"))) < 2:
            store.append_samples(noisy(3))
        store.take(ADAPTER, batches[1])
    newest = max(root.joinpath("samples").glob("*.db"))
    newest.write_bytes(b"no database" * 500)
    with opened() as store:
        assert store.taken(ADAPTER, batches[0].epoch) == {Stream.SAMPLES: 1}


def test_the_stamp_of_the_adapter_stays(opened, reader, other, clock):
    clock.trust = ClockQuality.UNSYNCHRONISED
    other.store.append_samples([Sample("pump/flow", 5, 1.5)])
    clock.trust = ClockQuality.SYNCHRONISED
    (batch,) = other.batches()
    with opened() as store:
        store.append_samples([Sample("pump/flow", 4, 1.0)])
        store.take(ADAPTER, batch)
    taken = open_batch(reader.load(Stream.SAMPLES, [2], 1 << 20)[0].message)
    assert (taken.boot, taken.monotonic_us, taken.clock) == (
        batch.boot, batch.monotonic_us, ClockQuality.UNSYNCHRONISED,
    )  # fmt: skip
    assert decode_samples(taken.payload) == [Sample("pump/flow", 5, 1.5)]


def test_what_the_adapter_lost_is_lost_of_this_outbox(opened, gaps_of, other):
    lost = Gap("samples", other.store.epoch, 5, 9, 700, "full", 10, 20)
    other.store.append_events([gap_event(lost, 1), Event("e1", EventKind.DEVICE_BACK, 2, {})])
    (batch,) = other.batches(Stream.EVENTS)
    with opened() as store:
        assert store.take(ADAPTER, batch).count == 2
        assert store.take(ADAPTER, batch) is None
        epoch = store.epoch
        after = store.append_samples([Sample("pump/flow", 4, 1.0)]).committed[0].seq
    assert gaps_of() == [Gap("samples", epoch, 1, 1, 700, "full", 10, 20)]
    assert after == 2
    with opened():
        assert len(gaps_of()) == 1


def test_events_that_cannot_be_read_give_no_number_away(opened, other):
    other.store.append_events([Event("e1", EventKind.GAP, 2, {"stream": "none"})])
    other.store.append_events([Event("e2", EventKind.DEVICE_BACK, 2, {})])
    bad, good = other.batches(Stream.EVENTS)
    with opened() as store:
        with pytest.raises(Exception, match="of kind gap"):
            store.take(ADAPTER, bad)
        assert store.take(ADAPTER, good).seq == 1


def test_a_damaged_payload_is_not_taken(opened, other):
    other.store.append_events([Event("e1", EventKind.DEVICE_BACK, 2, {})])
    (batch,) = other.batches(Stream.EVENTS)
    broken = type(batch)(
        *[b"x" if f == "payload" else getattr(batch, f) for f in batch.__struct_fields__]
    )
    with opened() as store, pytest.raises(MessageDamagedError):
        store.take(ADAPTER, broken)
