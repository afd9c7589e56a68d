from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.events import EventKind, Gap, body_of, decode_events
from cloud_sync.wire.samples import Sample
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Store

SMALL = OutboxSettings(segment_bytes=64 << 10, max_bytes=1 << 20)


def noisy_samples(seed: int, count: int = 200) -> list[Sample]:
    """Samples that compress badly: about 8 bytes each."""
    state = seed * 2_654_435_761 + 1
    samples = []
    for i in range(count):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        samples.append(Sample("pump/flow", 1_000_000 * seed + i, state / 2**64))
    return samples


@pytest.fixture
def noisy():
    """Make samples that fill segments quickly."""
    return noisy_samples


@pytest.fixture
def root(tmp_path):
    return tmp_path / "state" / "outbox"


@pytest.fixture
def opened(root, clock):
    """Open the outbox of this test once more."""

    @contextmanager
    def open_store(settings: OutboxSettings = SMALL) -> Iterator[Store]:
        store = Store.open(root, settings, clock)
        try:
            yield store
        finally:
            store.close()

    return open_store


@pytest.fixture
def reader(root):
    reader = OutboxReader(root)
    yield reader
    reader.close()


@pytest.fixture
def gaps_of(reader):
    """All gaps that the outbox declared."""

    def gaps() -> list[Gap]:
        numbers = [n for low, high in reader.stored(Stream.EVENTS) for n in range(low, high)]
        found = reader.load(Stream.EVENTS, numbers, 1 << 30)
        events = [e for b in found for e in decode_events(open_batch(b.message).payload)]
        return [body_of(event, Gap) for event in events if event.kind == EventKind.GAP]

    return gaps
