"""A disk that is full: nothing committed is lost, and the outbox goes on once there is space."""

import os
import subprocess

import pytest

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.events import Event, EventKind, Gap, body_of, decode_events
from cloud_sync.wire.samples import Sample
from edge_runtime.errors import StoreFullError
from edge_runtime.outbox.gaps import gap_event
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Store
from simulators.manual_clock import ManualClock

SMALL = OutboxSettings(segment_bytes=128 << 10, reserve_bytes=256 << 10)
ALL = 1 << 40


@pytest.fixture
def disk(tmp_path):
    """A disk of 3 MiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a tmpfs of 3 MiB")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("this container may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def noise(seed, count=500):
    samples, value = [], seed
    for n in range(count):
        value = (value * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        samples.append(Sample("pump/flow", 1_000 * seed + n, value / 2**64))
    return samples


def take_all_space(disk):
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return filler


def append_until_full(store):
    done = []
    for seed in range(10_000):
        try:
            done += store.append_samples(noise(seed)).committed
        except StoreFullError:
            return done
    pytest.fail("the disk never got full")


def test_a_disk_filled_by_others_loses_nothing_that_was_committed(disk):
    large = SMALL.model_copy(update={"segment_bytes": 16 << 20})
    store = Store.open(disk / "outbox", large, ManualClock())
    store.append_samples(noise(1))
    filler = take_all_space(disk)
    done = append_until_full(store)
    filler.unlink()
    (after,) = store.append_samples(noise(2)).committed
    store.close()
    reader = OutboxReader(disk / "outbox")
    assert after.seq == len(done) + 2
    assert reader.stored(Stream.SAMPLES) == ((1, after.seq + 1),)
    assert len(reader.load(Stream.SAMPLES, range(1, after.seq + 1), ALL)) == after.seq
    reader.close()


def test_on_a_full_disk_the_oldest_samples_give_way_to_events(disk):
    store = Store.open(disk / "outbox", SMALL, ManualClock())
    for seed in range(200):
        store.append_samples(noise(seed))
    take_all_space(disk)
    for n in range(200):
        store.append_events([Event(f"alert-{n}", "test", n, {"text": os.urandom(400).hex()})])
    store.close()
    reader = OutboxReader(disk / "outbox")
    ((first, last),) = reader.stored(Stream.EVENTS)
    found = reader.load(Stream.EVENTS, range(first, last), ALL)
    events = [e for b in found for e in decode_events(open_batch(b.message).payload)]
    gaps = [body_of(e, Gap) for e in events if e.kind == EventKind.GAP]
    oldest = reader.stored(Stream.SAMPLES)[0][0]
    assert [e.id for e in events if e.kind == "test"] == [f"alert-{n}" for n in range(200)]
    assert sum(gap.count for gap in gaps) == 500 * (oldest - 1) > 0
    reader.close()


def test_an_outbox_on_a_full_disk_can_be_opened_again(disk):
    store = Store.open(disk / "outbox", SMALL, ManualClock())
    done = [store.append_samples(noise(seed)).committed[0] for seed in range(100)]
    store.close()
    filler = take_all_space(disk)
    again = Store.open(disk / "outbox", SMALL, ManualClock())
    assert again.append_samples(noise(1)).committed[0].seq == len(done) + 1
    again.close()
    assert filler.exists()


def test_a_gap_that_is_handed_over_on_a_full_disk_gets_one_number(disk, tmp_path):
    other = Store.open(tmp_path / "other", SMALL, ManualClock())
    lost = Gap("samples", other.epoch, 5, 9, 700, "full")
    other.append_events([gap_event(lost, 1)])
    other.close()
    reader = OutboxReader(tmp_path / "other")
    batch = open_batch(reader.load(Stream.EVENTS, [1], ALL)[0].message)
    reader.close()
    large = SMALL.model_copy(update={"segment_bytes": 16 << 20})
    store = Store.open(disk / "outbox", large, ManualClock())
    filler = take_all_space(disk)
    done = append_until_full(store)
    for _ in range(3):
        with pytest.raises(StoreFullError):
            store.take("serial-1", batch)
    filler.unlink()
    assert store.take("serial-1", batch).count == 1
    assert store.take("serial-1", batch) is None
    (after,) = store.append_samples(noise(2)).committed
    assert after.seq == len(done) + 2
    store.close()
