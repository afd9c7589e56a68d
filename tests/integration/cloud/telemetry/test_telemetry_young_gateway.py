"""A whole runtime that starts in 1970, and the cloud that gets its batches."""

import asyncio
import contextlib
import time

import pytest

from cloud_api.telemetry.clocks.repairing import repair_tenant
from cloud_sync.wire.batch import ClockQuality, Stream
from edge_runtime.clock import SystemClock
from edge_runtime.host.adapter import run_adapter
from edge_runtime.host.context import Context
from edge_runtime.host.runtime import run_runtime
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.settings import load_settings
from simulators.memory_device import MemoryDevices

GATEWAY = """\
gateway: {name: cellar-1, outbox: {commit_interval_s: 0.05}}
devices:
  - {name: pump, protocol: memory, place: pump, interval_s: 0.1, points: [{name: flow}]}
  - {name: fan, protocol: memory, place: fan, interval_s: 0.1, adapter: serial-1, points: [{name: flow}]}
"""


class YoungClock(SystemClock):
    """Believes that it is 1970 until somebody tells it the time."""

    def __init__(self):
        self.error_us = super().wall_us()
        self.trust = ClockQuality.UNSYNCHRONISED

    def wall_us(self):
        return super().wall_us() - self.error_us

    def quality(self):
        return self.trust

    def synchronise(self):
        self.error_us, self.trust = 0, ClockQuality.SYNCHRONISED


class Gateway:
    def __init__(self, folder, clock):
        self.devices, self.clock = MemoryDevices(), clock
        self.file = folder / "gateway.yaml"
        self.file.write_text(GATEWAY)
        self.settings = load_settings(self.file, self.find)

    def find(self, _):
        return self.devices.driver()

    def read(self, value):
        for place in ("pump", "fan"):
            self.devices.place(place).values["flow"] = value

    @contextlib.asynccontextmanager
    async def running(self):
        own = load_settings(self.file, self.find, adapter="serial-1")
        parts = [
            asyncio.ensure_future(run_runtime(Context(self.settings, self.clock, "0"), ())),
            asyncio.ensure_future(run_adapter(Context(own, self.clock, "0"), "serial-1")),
        ]
        try:
            yield
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    def batches(self, stream):
        with contextlib.closing(OutboxReader(self.settings.state_dir / "outbox")) as reader:
            numbers = [n for low, high in reader.stored(stream) for n in range(low, high)]
            return [b.message for b in reader.load(stream, numbers, 1 << 24)]


@pytest.fixture
def gateway(tmp_path):
    return Gateway(tmp_path, YoungClock())


async def until(reached):
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 - an outbox is watched
            await asyncio.sleep(0.02)


async def test_what_was_read_in_1970_is_shown_when_it_was_read(database, wire, gateway):
    line = await wire()
    tenant = line.gateway.tenant.id
    gateway.read(1.0)
    began = time.time()
    async with gateway.running():
        await until(lambda: len(gateway.batches(Stream.SAMPLES)) >= 2)
        gateway.clock.synchronise()
        gateway.read(2.0)
        await until(lambda: len(gateway.batches(Stream.SAMPLES)) >= 4)
        await until(lambda: len(gateway.batches(Stream.EVENTS)) >= 2)
    await line.post(*gateway.batches(Stream.SAMPLES))
    await line.post(*gateway.batches(Stream.EVENTS))
    await repair_tenant(database, tenant)
    async with database.transaction(tenant) as db:
        rows = await db.execute(
            "SELECT key, value, time, reason FROM sample JOIN point ON id = point_id ORDER BY 1, 3"
        )
        found = await rows.fetchall()
    assert [(key, value, reason) for key, value, _, reason in found] == [
        ("fan/flow", 1.0, "clock_repaired"), ("fan/flow", 2.0, ""),
        ("pump/flow", 1.0, "clock_repaired"), ("pump/flow", 2.0, ""),
    ]  # fmt: skip
    assert all(began - 0.1 <= at.timestamp() <= time.time() for _, _, at, _ in found)
