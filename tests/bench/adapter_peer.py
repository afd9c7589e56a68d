"""The adapter of the benchmark ``adapter``; prints its CPU seconds. Usage: SOCKET SOURCE WHAT."""

# ruff: noqa: T201 - a command that prints

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from edge_runtime.adapters.handing import Ours
from edge_runtime.adapters.link import Link
from edge_runtime.adapters.tail import MAX_WAITING, Tail
from edge_runtime.clock import SystemClock
from edge_runtime.model import Reading
from edge_runtime.normalise import Normalised
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox
from tests.bench.adapter import ADAPTER, DEVICE, LIVE_READS, POINTS


async def refresh(_: str) -> str:
    return ""


async def talk(folder: Path, source: Path, what: str) -> None:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as own:
        kept = source / "outbox" if what == "batches" else Path(own) / "outbox"
        async with Outbox.open(kept, OutboxSettings(), clock) as outbox:
            with contextlib.closing(OutboxReader(kept)) as reader:
                tail = Tail(clock)
                memory = Path(own) / "acknowledged.json"
                ours = Ours(ADAPTER, "0", os.getpid(), outbox, reader, tail, refresh, memory)
                link = Link(ours, folder, clock)
                running = asyncio.ensure_future(link.run())
                if what == "live":
                    while not link.status.connected:
                        await clock.sleep(0.001)
                    await read(tail)
                await running


async def read(tail: Tail) -> None:
    """Read devices as fast as the socket takes it."""
    for number in range(LIVE_READS):
        readings = [
            Reading(f"{DEVICE}/p{n}", 20.0 + number + n, received_us=number) for n in range(POINTS)
        ]
        tail.take(Normalised(DEVICE, readings, ()))
        while tail.waiting > MAX_WAITING // 2:  # noqa: ASYNC110 - the socket is watched
            await asyncio.sleep(0)


async def main() -> None:
    task = asyncio.ensure_future(talk(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    start = time.process_time()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
