"""Whatever bits flip in its files, while it runs or while it does not, the outbox goes on."""

import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.samples import Sample
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Store
from simulators.manual_clock import ManualClock

SMALL = OutboxSettings(segment_bytes=64 << 10, max_bytes=1 << 20)
SAMPLES = [Sample("pump/flow", i, i * i / 7) for i in range(600)]
HEAD_BYTES = 4096
"""Schema and totals are here: most harm is done where least is written."""

flips = st.tuples(st.integers(0, 1 << 30), st.integers(0, 1 << 30), st.integers(0, 7))
happenings = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.lists(flips, min_size=1, max_size=4)), max_size=5
)


def rot(root, head, some):
    for place, offset, bit in some:
        paths = sorted(p for p in root.glob("[es]*s/*.db*") if p.stat().st_size)
        path = paths[place % len(paths)]
        size = path.stat().st_size
        with path.open("r+b") as file:
            at = offset % (min(size, HEAD_BYTES) if head else size)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << bit]))


def work(store):
    for _ in range(8):
        assert store.append_samples(SAMPLES).taken == len(SAMPLES)
    assert store.append_events([Event("e", "test", 1, {})]).taken == 1
    store.scrub(1_000)
    store.prune({("samples", store.epoch): ((1, 9),)})


def read(reader):
    for stream in Stream:
        stored = reader.stored(stream)
        reader.weigh(stream, stored)
        reader.load(stream, [n for low, high in stored for n in range(low, min(high, low + 50))], 1)


@settings(max_examples=8)
@given(happenings)
def test_whatever_bits_flip_the_outbox_goes_on(happened):
    with tempfile.TemporaryDirectory() as folder:
        root, clock = Path(folder) / "outbox", ManualClock()
        with closing(OutboxReader(root)) as reader:
            for running, head, some in [(True, True, []), *happened]:
                clock.jump(1)
                if not running:
                    rot(root, head, some)
                with closing(Store.open(root, SMALL, clock)) as store:
                    work(store)
                    if running:
                        rot(root, head, some)
                        work(store)
                    read(reader)
