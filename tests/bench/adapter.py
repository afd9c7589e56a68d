"""The socket between adapter and runtime: points a second with acknowledgement, and their CPU.

An adapter in a process of its own has an outbox full of sealed batches and hands them over; the
runtime (this process) checks, writes and acknowledges each durably. The reference is the runtime
alone, which writes the same batches into the same kind of outbox without a socket. Beside it goes
what rules get: every reading, present values only, neither kept nor acknowledged.
"""

import asyncio
import contextlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from cloud_sync.wire.batch import Batch, Stream, open_batch
from edge_runtime.adapters.absence import Absence
from edge_runtime.adapters.reception import Reception
from edge_runtime.bus import Bus
from edge_runtime.clock import SystemClock
from edge_runtime.inbox.journal import Journal
from edge_runtime.normalise import Normalised
from edge_runtime.outages import Outages
from edge_runtime.outbox.committed import Committed
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Store
from edge_runtime.outbox.writer import Outbox
from tests.bench.plant_day import plant_day

SAMPLES = 200_000
BATCH = 1_000
ROUNDS = 3
SLICE_S = 60
POINTS = 100
LIVE_READS = 2_000
ADAPTER, DEVICE = "serial-1", "plant"
ROOT = Path(__file__).parents[2]


class Cost(NamedTuple):
    """What it takes to hand samples over."""

    points_per_s: float
    cpu_us_a_point: float
    """Of both processes."""


async def run() -> dict[str, object]:
    """Run the benchmark; gives ours, the reference and the ratio."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        source = Path(folder) / "adapter"
        _fill(source / "outbox")
        rounds = [
            (await _handed_over(Path(folder) / f"ours-{n}", source), _alone(source, folder, n))
            for n in range(ROUNDS)
        ]
        live = [await _live(Path(folder) / f"live-{n}", source) for n in range(ROUNDS)]
    ours, alone = (_median(list(costs)) for costs in zip(*rounds, strict=True))
    return {
        "name": "adapter",
        "samples": SAMPLES,
        "batch": BATCH,
        "rounds": ROUNDS,
        "ours": _figures(ours),
        "references": {"runtime_alone": _figures(alone)},
        "ratio": {"points_per_s": round(ours.points_per_s / alone.points_per_s, 2)},
        "live": _figures(_median(live)),
    }


def _fill(folder: Path) -> None:
    day = [sample for _, worth in plant_day(SLICE_S) for sample in worth]
    samples = (day * -(-SAMPLES // len(day)))[:SAMPLES]
    with contextlib.closing(Store.open(folder, OutboxSettings(), SystemClock())) as store:
        for start in range(0, len(samples), BATCH):
            store.append_samples(samples[start : start + BATCH])


class Counter:
    """Counts what arrives and tells when it is enough."""

    def __init__(self, enough: int) -> None:
        self.enough, self.count = enough, 0
        self.done = asyncio.Event()
        self.began = 0.0

    def take(self, batch: Committed) -> None:
        """Count a batch that was taken."""
        self._add(batch.count)

    def hear(self, normalised: Normalised) -> None:
        """Count readings for the rules."""
        self._add(len(normalised.readings))

    def _add(self, count: int) -> None:
        self.began = self.began or time.perf_counter()
        self.count += count
        if self.count >= self.enough:
            self.done.set()


@contextlib.asynccontextmanager
async def _reception(folder: Path, counter: Counter) -> AsyncIterator[None]:
    clock, bus = SystemClock(), Bus()
    await asyncio.to_thread(folder.mkdir, parents=True)
    bus.on_readings(counter.hear)
    async with Outbox.open(folder / "outbox", OutboxSettings(), clock) as outbox:
        with contextlib.closing(Journal(folder / "journal.db", clock)) as journal:
            points = {ADAPTER: {DEVICE: ()}}
            absence = Absence(points, bus, Outages(journal), clock)
            reception = Reception(
                folder, outbox, points, absence, bus=bus, clock=clock, on_taken=counter.take
            )
            serving = asyncio.ensure_future(reception.run())
            try:
                yield
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)


async def _handed_over(folder: Path, source: Path) -> Cost:
    counter = Counter(SAMPLES)
    async with _reception(folder, counter):
        return await _until_done(counter, folder, source, "batches")


async def _live(folder: Path, source: Path) -> Cost:
    counter = Counter(LIVE_READS * POINTS)
    async with _reception(folder, counter):
        return await _until_done(counter, folder, source, "live")


async def _until_done(counter: Counter, folder: Path, source: Path, what: str) -> Cost:
    cpu = _cpu_s()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.adapter_peer", str(folder), str(source), what,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await counter.done.wait()
    took = time.perf_counter() - counter.began
    process.terminate()
    out, _ = await process.communicate()
    spent = _cpu_s() - cpu + float(out.decode().split()[-1])
    return Cost(counter.count / took, 1e6 * spent / counter.count)


def _alone(source: Path, folder: str, number: int) -> Cost:
    batches = _batches(source / "outbox")
    with contextlib.closing(
        Store.open(Path(folder) / f"alone-{number}", OutboxSettings(), SystemClock())
    ) as store:
        start, cpu = time.perf_counter(), _cpu_s()
        for batch in batches:
            store.take(ADAPTER, batch)
        took, spent = time.perf_counter() - start, _cpu_s() - cpu
    return Cost(SAMPLES / took, 1e6 * spent / SAMPLES)


def _batches(folder: Path) -> list[Batch]:
    with contextlib.closing(OutboxReader(folder)) as reader:
        ((low, high),) = reader.stored(Stream.SAMPLES)
        found = reader.load(Stream.SAMPLES, range(low, high), 1 << 40)
        return [open_batch(stored.message) for stored in found]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def _figures(cost: Cost) -> dict[str, float]:
    return {
        "points_per_s": round(cost.points_per_s),
        "cpu_us_a_point": round(cost.cpu_us_a_point, 3),
    }
