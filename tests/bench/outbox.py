"""The outbox: how fast it takes samples durably, and what they cost on disk and in flash writes.

Ours is the whole of it: columns, seal, one transaction a batch with ``synchronous=FULL``. The
reference is what most gateways do: SQLite with one row a sample, FULL as well, as many samples a
transaction. Both write the same samples; runs alternate.
"""

import asyncio
import sqlite3  # noqa: TID251 - the reference
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from cloud_sync.wire.samples import Sample
from edge_runtime.clock import SystemClock
from edge_runtime.outbox.collector import Collector
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Store
from edge_runtime.outbox.writer import Outbox
from tests.bench.plant_day import plant_day

SAMPLES = 400_000
ROUNDS = 3
SLICE_S = 60
STEADY_RATE = 10_000
STEADY_S = 5


class Cost(NamedTuple):
    """What it takes to store samples."""

    samples_per_s: float
    cpu_us_a_sample: float
    bytes_on_disk_a_sample: float
    bytes_written_a_sample: float


def run() -> dict[str, object]:
    """Run the benchmark; gives ours, the references and the ratios."""
    samples = _samples()
    result: dict[str, object] = {"name": "outbox", "samples": len(samples), "rounds": ROUNDS}
    # What the benchmark is judged by stands at the top, the other size below it.
    result |= {"commit": 1_000} | _compare(samples, 1_000)
    result["commits_of_10000"] = _compare(samples, 10_000)
    result["steady"] = asyncio.run(_steady(samples))
    return result


def _compare(samples: list[Sample], size: int) -> dict[str, object]:
    batches = [samples[start : start + size] for start in range(0, len(samples), size)]
    rounds = [(_cost(_ours, batches), _cost(_row_a_sample, batches)) for _ in range(ROUNDS)]
    ours, rows = (_median(list(costs)) for costs in zip(*rounds, strict=True))
    return {
        "ours": _figures(ours),
        "references": {"row_a_sample": _figures(rows)},
        "ratio": {
            "samples_per_s": round(ours.samples_per_s / rows.samples_per_s, 2),
            "bytes_on_disk": round(rows.bytes_on_disk_a_sample / ours.bytes_on_disk_a_sample, 2),
            "bytes_written": round(rows.bytes_written_a_sample / ours.bytes_written_a_sample, 2),
        },
    }


def _samples() -> list[Sample]:
    """Take what the demo plant sends, again and again."""
    day = [sample for _, worth in plant_day(SLICE_S) for sample in worth]
    step = day[-1].received_us - day[0].received_us
    rounds = -(-SAMPLES // len(day))
    return [
        sample._replace(received_us=sample.received_us + turn * step)
        for turn in range(rounds)
        for sample in day
    ][:SAMPLES]


def _cost(
    store: Callable[[Path, Sequence[Sequence[Sample]]], None], batches: Sequence[Sequence[Sample]]
) -> Cost:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name) / "store"
        folder.mkdir()
        written, cpu, start = _written(), time.process_time(), time.perf_counter()
        store(folder, batches)
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        written = _written() - written
        held = sum(file.stat().st_size for file in folder.rglob("*.db*"))
    count = sum(map(len, batches))
    return Cost(count / seconds, cpu_s / count * 1e6, held / count, written / count)


def _ours(folder: Path, batches: Sequence[Sequence[Sample]]) -> None:
    with closing(Store.open(folder, OutboxSettings(), SystemClock())) as store:
        for batch in batches:
            store.append_samples(batch)


def _row_a_sample(folder: Path, batches: Sequence[Sequence[Sample]]) -> None:
    with closing(sqlite3.connect(folder / "rows.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE sample (number INTEGER PRIMARY KEY, point INTEGER NOT NULL,"
            " received_us INTEGER NOT NULL, value, quality INTEGER NOT NULL)"
        )
        connection.execute("CREATE TABLE point (number INTEGER PRIMARY KEY, name TEXT UNIQUE)")
        points: dict[str, int] = {}
        for batch in batches:
            rows = [
                (points.setdefault(s.point, len(points)), s.received_us, s.value, int(s.quality))
                for s in batch
            ]
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO sample (point, received_us, value, quality) VALUES (?, ?, ?, ?)", rows
            )
            connection.execute("COMMIT")


async def _steady(samples: Sequence[Sample]) -> dict[str, object]:
    """Feed the collector 10,000 samples a second: what a large gateway does all day."""
    clock, settings, delays = SystemClock(), OutboxSettings(), []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        async with Outbox.open(Path(folder) / "outbox", settings, clock) as outbox:
            waiting: list[float] = []
            collector = Collector(
                outbox, settings, clock, lambda _: delays.append(time.perf_counter() - waiting[0])
            )
            running = asyncio.ensure_future(collector.run())
            written, cpu, start = _written(), time.process_time(), time.perf_counter()
            for tick in range(10 * STEADY_S):
                waiting[:] = [time.perf_counter()]
                for sample in samples[tick * 1_000 : (tick + 1) * 1_000]:
                    collector.add(sample)
                await asyncio.sleep(max(0.0, start + (tick + 1) / 10 - time.perf_counter()))
            await collector.flush()
            seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
            written = _written() - written
            running.cancel()
            await asyncio.wait([running])
    return {
        "samples_per_s": round(10_000 * STEADY_S / seconds),
        "cores": round(cpu_s / seconds, 4),
        "gigabytes_written_a_day": round(written / seconds * 86_400 / 1e9, 1),
        "commit_ms_median": round(1e3 * statistics.median(delays), 2),
        "commit_ms_max": round(1e3 * max(delays), 2),
    }


def _written() -> int:
    """Bytes that this process caused to be written to the storage layer."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def _median(costs: list[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def _figures(cost: Cost) -> dict[str, float]:
    return {
        name: round(value) if value > 1_000 else round(value, 3)
        for name, value in cost._asdict().items()
    }
