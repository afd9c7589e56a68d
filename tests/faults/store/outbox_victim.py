"""A runtime that writes as fast as it can and says what was committed, until it is killed.

One line a committed batch on stdout: ``stream seq count sha256``. Usage: FOLDER SEED.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from cloud_sync.wire.events import Event
from cloud_sync.wire.samples import Sample
from edge_runtime.clock import SystemClock
from edge_runtime.outbox.collector import Collector
from edge_runtime.outbox.committed import Committed
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox

SETTINGS = OutboxSettings(commit_interval_s=0.01, batch_samples=50, segment_bytes=64 << 10)


def say(batch: Committed) -> None:
    line = f"{batch.epoch} {batch.stream.value} {batch.seq} {batch.count} {batch.sha256.hex()}\n"
    os.write(1, line.encode())


async def write(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    clock = SystemClock()
    async with Outbox.open(folder, SETTINGS, clock) as outbox:
        collector = Collector(outbox, SETTINGS, clock, say)
        running = asyncio.ensure_future(collector.run())
        for n in range(1_000_000):
            collector.add(Sample(f"device/p{n % 20}", clock.wall_us(), rng.random()))
            if n % 97 == 0:
                collector.add_event(Event(f"{seed}-{n}", "test", clock.wall_us(), {"n": n}))
            if n % 25 == 0:
                await asyncio.sleep(0)
        await running


asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
