import asyncio
import contextlib

import pytest

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.events import EventKind, decode_events
from cloud_sync.wire.samples import decode_samples
from edge_runtime.clock import SystemClock
from edge_runtime.declaring import catalogue
from edge_runtime.host.context import Context, Folders
from edge_runtime.host.runtime import run_runtime
from edge_runtime.inbox.writer import InboxWriter
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.rules.binding import load_rules
from edge_runtime.settings import load_settings
from edge_runtime.status import RuntimeStatus, read_status
from simulators.memory_device import MemoryDevices

GATEWAY = """\
gateway: {name: cellar-1, outbox: {commit_interval_s: 0.05}}
devices:
  - name: pump
    protocol: memory
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
    """A runtime over a device in memory, with its folders."""

    def __init__(self, folder):
        self.devices, self.clock = MemoryDevices(), SystemClock()
        self.place = self.devices.place()
        self.place.values["pressure"] = 5.0
        (folder / "gateway.yaml").write_text(GATEWAY)
        (folder / "rules.yaml").write_text(RULES)
        self.settings = load_settings(folder / "gateway.yaml", lambda _: self.devices.driver())
        self.rules = load_rules(folder / "rules.yaml", catalogue(self.settings))
        self.folders = Folders(self.settings.state_dir)

    @contextlib.asynccontextmanager
    async def running(self):
        context = Context(self.settings, self.clock, "0.0.1")
        task = asyncio.ensure_future(run_runtime(context, self.rules))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def stored(self, stream):
        reader = OutboxReader(self.folders.outbox)
        numbers = [n for low, high in reader.stored(stream) for n in range(low, high)]
        batches = [open_batch(b.message) for b in reader.load(stream, numbers, 1 << 24)]
        reader.close()
        return batches

    def events(self):
        return [e for b in self.stored(Stream.EVENTS) for e in decode_events(b.payload)]

    def samples(self):
        return [s for b in self.stored(Stream.SAMPLES) for s in decode_samples(b.payload)]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


async def until(reached):
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 - the outbox is read from outside
            await asyncio.sleep(0.02)


async def test_readings_get_on_disk_after_the_declaration(site):
    async with site.running():
        await until(site.samples)
    assert [e.kind for e in site.events()][:2] == [
        EventKind.GATEWAY_STARTED,
        EventKind.POINTS_DECLARED,
    ]
    assert [(s.point, s.value) for s in site.samples()] == [("pump/pressure", 5.0)]


async def test_what_was_read_before_the_stop_is_committed(site):
    async with site.running():
        await until(lambda: len(site.place.reads) > 1)
        site.place.values["pressure"] = 5.9
        reads = len(site.place.reads)
        await until(lambda: len(site.place.reads) > reads)
    assert site.samples()[-1].value == 5.9


async def test_an_alert_is_raised_from_a_reading_inside_the_deadband(site):
    site.place.values["pressure"] = 5.8
    async with site.running():
        await until(lambda: site.place.reads)
        site.place.values["pressure"] = 6.1
        await until(lambda: len(site.events()) > 2)
    assert site.events()[2].body["message"] == "6.1 bar"
    assert [s.value for s in site.samples()] == [5.8]


async def test_a_command_from_the_inbox_is_answered(site):
    inbox = InboxWriter(site.folders.inbox, site.clock)
    async with site.running():
        await until(site.samples)
        now = site.clock.wall_us()
        inbox.put(Document("c1", "command", now, now + 10**7, {"name": "refresh"}))
        await until(lambda: any(e.kind == EventKind.COMMAND_RESULT for e in site.events()))
    inbox.close()
    assert len(site.samples()) >= 2
    assert [e.kind for e in site.events()].count(EventKind.POINTS_DECLARED) == 2


async def test_a_silent_device_is_an_event_and_a_bad_sample(site):
    async with site.running():
        await until(site.samples)
        site.place.reachable = False
        await until(lambda: len(site.samples()) > 1)
    assert site.events()[-1].kind == EventKind.DEVICE_SILENT
    assert (site.samples()[-1].value, site.samples()[-1].reason) == (None, "no_answer")


async def test_the_runtime_tells_its_status(site):
    async with site.running():
        await until(lambda: read_status(site.folders.run, "runtime", RuntimeStatus))
    status = read_status(site.folders.run, "runtime", RuntimeStatus)
    assert (status.gateway, status.version) == ("cellar-1", "0.0.1")
    assert status.devices["pump"].silent_since_us is None
