"""A runtime and an adapter side by side in one process, and in real ones."""

import asyncio
import contextlib
import os
import signal
import sys

import pytest

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.events import EventKind, decode_events
from cloud_sync.wire.samples import decode_samples
from edge_runtime.adapters import absence
from edge_runtime.clock import SystemClock
from edge_runtime.declaring import catalogue
from edge_runtime.host.adapter import run_adapter
from edge_runtime.host.context import Context, Folders
from edge_runtime.host.runtime import run_runtime
from edge_runtime.inbox.writer import InboxWriter
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.rules.binding import load_rules
from edge_runtime.settings import load_settings
from edge_runtime.status import AdapterStatus, adapter_file, read_status
from simulators.memory_device import MemoryDevices
from tidegate.edge.health import gateway_health
from tidegate.edge.running import commands_of

GATEWAY = """\
gateway: {name: cellar-1, outbox: {commit_interval_s: 0.05}}
devices:
  - name: pump
    protocol: memory
    adapter: serial-1
    interval_s: 0.05
    points: [{name: pressure, unit: bar, deadband: 0.5}]
"""
RULES = """\
rules:
  - name: high
    event: {point: pump/pressure}
    condition: {above: 6 bar}
    alert: {message: "{value} {unit}"}
"""


class Site:
    """A split gateway over a device in memory."""

    def __init__(self, folder):
        self.devices, self.clock = MemoryDevices(), SystemClock()
        self.place = self.devices.place()
        self.place.values["pressure"] = 5.0
        self.file = folder / "gateway.yaml"
        self.file.write_text(GATEWAY)
        (folder / "rules.yaml").write_text(RULES)
        self.settings = load_settings(self.file, self.find)
        self.rules = load_rules(folder / "rules.yaml", catalogue(self.settings))
        self.folders = Folders(self.settings.state_dir)

    def find(self, _):
        return self.devices.driver()

    def runtime(self):
        return running(run_runtime(Context(self.settings, self.clock, "0.0.1"), self.rules))

    def adapter(self):
        settings = load_settings(self.file, self.find, adapter="serial-1")
        return running(run_adapter(Context(settings, self.clock, "0.0.1"), "serial-1"))

    @contextlib.asynccontextmanager
    async def both(self):
        async with self.runtime(), self.adapter():
            yield

    def batches(self, stream):
        with contextlib.closing(OutboxReader(self.folders.outbox)) as reader:
            numbers = [n for low, high in reader.stored(stream) for n in range(low, high)]
            return [open_batch(b.message) for b in reader.load(stream, numbers, 1 << 24)]

    def events(self):
        found = self.batches(Stream.EVENTS)
        return [e for b in found for e in decode_events(b.payload)]

    def kinds(self):
        return [event.kind for event in self.events()]

    def samples(self):
        found = self.batches(Stream.SAMPLES)
        return [s for b in found for s in decode_samples(b.payload)]

    def status(self):
        return read_status(self.folders.run, adapter_file("serial-1"), AdapterStatus)

    def health(self):
        return gateway_health(self.settings, self.clock.wall_us())


@contextlib.asynccontextmanager
async def running(part):
    task = asyncio.ensure_future(part)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(reached):
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 - files of other tasks are watched
            await asyncio.sleep(0.02)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


async def test_an_adapter_reads_and_the_runtime_records(site):
    async with site.both():
        await until(site.samples)
    assert [(s.point, s.value) for s in site.samples()] == [("pump/pressure", 5.0)]
    assert site.kinds()[:2] == [EventKind.GATEWAY_STARTED, EventKind.POINTS_DECLARED]


async def test_what_an_adapter_read_alone_is_handed_over_later(site):
    async with site.adapter():
        await until(lambda: site.status() and site.status().waiting)
    async with site.both():
        await until(site.samples)
    assert site.samples()[0].value == 5.0


async def test_rules_see_readings_inside_the_deadband(site):
    site.place.values["pressure"] = 5.8
    async with site.both():
        await until(site.samples)
        site.place.values["pressure"] = 6.1
        await until(lambda: EventKind.ALERT_RAISED in site.kinds())
    assert [s.value for s in site.samples()] == [5.8]


async def test_yesterdays_values_raise_no_alert(site):
    site.place.values["pressure"] = 9.0
    async with site.adapter():
        await until(lambda: site.status() and site.status().committed)
        site.place.values["pressure"] = 5.0
        await until(lambda: site.status().committed == 2)
        async with site.runtime():
            await until(lambda: len(site.samples()) == 2)
    assert [s.value for s in site.samples()] == [9.0, 5.0]
    assert EventKind.ALERT_RAISED not in site.kinds()


async def test_silence_of_a_device_is_told_by_the_adapter(site):
    async with site.both():
        await until(site.samples)
        site.place.reachable = False
        await until(lambda: EventKind.DEVICE_SILENT in site.kinds())
        site.place.reachable = True
        await until(lambda: EventKind.DEVICE_BACK in site.kinds())


async def test_an_adapter_that_is_gone_makes_its_devices_silent(site, monkeypatch):
    monkeypatch.setattr(absence, "ABSENT_S", 0.1)
    monkeypatch.setattr(absence, "CHECK_S", 0.02)
    async with site.runtime():
        async with site.adapter():
            await until(site.samples)
        await until(lambda: EventKind.DEVICE_SILENT in site.kinds())
        async with site.adapter():
            await until(lambda: EventKind.DEVICE_BACK in site.kinds())


async def test_a_refresh_command_reaches_the_adapter(site):
    inbox = InboxWriter(site.folders.inbox, site.clock)
    async with site.both():
        await until(site.samples)
        now = site.clock.wall_us()
        inbox.put(Document("c1", "command", now, now + 10**7, {"name": "refresh"}))
        await until(lambda: EventKind.COMMAND_RESULT in site.kinds())
        await until(lambda: len(site.samples()) == 2)
    inbox.close()
    result = next(e for e in site.events() if e.kind == EventKind.COMMAND_RESULT)
    assert result.body["state"] == "succeeded"


async def test_status_shows_the_adapter_and_its_devices(site):
    async with site.both():
        await until(lambda: site.status() and site.status().handed_over)
        health = site.health()
    assert [(a.name, a.state) for a in health.adapters] == [("serial-1", "connected")]
    assert [(d.name, d.health) for d in health.devices] == [("pump", "good")]


async def test_an_adapter_that_never_ran_is_shown_as_such(site):
    health = site.health()
    assert health.adapters[0].state == "never started"
    assert health.devices[0].reason == "the adapter serial-1 is stopped"


async def test_a_former_adapter_still_hands_over_what_it_has(site):
    async with site.adapter():
        await until(lambda: site.status() and site.status().waiting)
    site.file.write_text(GATEWAY.replace("    adapter: serial-1\n", ""))
    moved = load_settings(site.file, site.find)
    assert list(commands_of(moved, level="info")) == ["runtime", "adapter:serial-1"]
    site.settings = moved
    site.place.reachable = False
    async with site.both():
        await until(lambda: any(s.value == 5.0 for s in site.samples()))


PROCESSES = """\
gateway: {name: cellar-1, state_dir: state}
devices:
  - {name: no-one, protocol: modbus, host: 127.0.0.1, port: 9, adapter: serial-1, points: [{name: a, table: holding, address: 0, type: uint16}]}
"""


async def test_the_supervisor_runs_adapters_and_starts_them_again(tmp_path):
    file = tmp_path / "gateway.yaml"
    file.write_text(PROCESSES)
    run = Folders(tmp_path / "state").run

    def status():
        return read_status(run, adapter_file("serial-1"), AdapterStatus)

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidegate", "edge", "run", str(file)
    )
    try:
        async with asyncio.timeout(15):
            while not (status() and status().handed_over):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
            first = status().pid
            os.kill(first, signal.SIGKILL)
            while status().pid == first:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
    finally:
        process.terminate()
        await process.wait()
    assert process.returncode == 0
