"""One process that acquires values for a benchmark and says what it cost: ours, or a bare library.

    echo '{"who": "ours", "protocol": "mqtt", "seconds": 10, …}' | python -m tests.bench.acquire

Ours is what a runtime does with them: driver, staleness, normalisation, and the outbox on disk with
every commit flushed. Bare is the library alone (``tests.bench.bare.<protocol>``), which only notes
that a value came. Both count values and the longest time without a new one of any point.
"""

# ruff: noqa: T201 - a command that prints

import asyncio
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cloud_sync.wire.samples import Sample
from components.drivers import find_driver
from edge_runtime.bus import Bus
from edge_runtime.clock import SystemClock
from edge_runtime.normalise import Normalised
from edge_runtime.outbox.collector import Collector
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.writer import Outbox
from edge_runtime.polling import DevicePoller, read_limits_s
from edge_runtime.settings import ConfiguredDevice
from edge_runtime.status import proportional_size

START_S = 60.0


class Heard:
    """When each point was last heard, how often, and the longest pause of any of them."""

    def __init__(self, points: int) -> None:
        self._points = points
        self._last: dict[str, float] = {}
        self.values = 0
        self.worst_s = 0.0
        self._measuring = False
        self._all = asyncio.Event()

    def hear(self, point: str) -> None:
        """Note a value."""
        now = time.monotonic()
        if self._measuring:
            self.values += 1
            self.worst_s = max(self.worst_s, now - self._last[point])
        self._last[point] = now
        if len(self._last) == self._points:
            self._all.set()

    async def until_all(self) -> None:
        """Wait until every point was heard once."""
        await asyncio.wait_for(self._all.wait(), START_S)

    def begin(self) -> None:
        """Measure from now on."""
        self._last = dict.fromkeys(self._last, time.monotonic())
        self._measuring = True

    def end(self) -> None:
        """Count what is waited for still."""
        now = time.monotonic()
        self.worst_s = max(self.worst_s, *(now - at for at in self._last.values()))
        self._measuring = False


async def _ours(asked: dict[str, Any], heard: Heard) -> None:
    driver = find_driver(asked["protocol"])
    devices = [
        ConfiguredDevice(driver, driver.settings.model_validate(fields))
        for fields in asked["devices"]
    ]
    clock, bus = SystemClock(), Bus()
    with tempfile.TemporaryDirectory() as folder:
        settings = OutboxSettings()
        async with Outbox.open(Path(folder) / "outbox", settings, clock) as outbox:
            collector = Collector(outbox, settings, clock, lambda _: None)

            def take(normalised: Normalised) -> None:
                for r in normalised.reported:  # every value of these plants is a new one
                    heard.hear(r.point)
                    collector.add(
                        Sample(r.point, r.received_us, r.value, r.quality, r.reason, r.source_us)
                    )

            bus.on_readings(take)
            async with asyncio.TaskGroup() as group:
                group.create_task(collector.run())
                for number, (device, limit) in enumerate(
                    zip(devices, read_limits_s(devices), strict=True)
                ):
                    poller = DevicePoller(device, bus, clock, index=number, limit_s=limit)
                    group.create_task(poller.run())


async def _run(asked: dict[str, Any]) -> dict[str, float]:
    heard = Heard(asked["points"])
    if asked["who"] == "ours":
        work = _ours(asked, heard)
    else:
        module = importlib.import_module(f"tests.bench.bare.{asked['protocol']}")
        work = module.run(asked, heard.hear)
    task = asyncio.create_task(work)
    waiting = asyncio.create_task(heard.until_all())
    done, _ = await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for ended in done:
        ended.result()
    await asyncio.sleep(asked["settle_s"])
    heard.begin()
    start, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(asked["seconds"])
    seconds, cpu = time.monotonic() - start, time.process_time() - cpu
    heard.end()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return {
        "values_per_s": round(heard.values / seconds, 1),
        "cores": round(cpu / seconds, 4),
        "memory_mb": round(proportional_size(os.getpid()) / 1e6, 1),
        "worst_age_s": round(heard.worst_s, 3),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(json.load(sys.stdin)))), flush=True)
