import asyncio

import pytest

from cloud_sync.wire.downlink import Document
from edge_runtime.bus import Bus
from edge_runtime.commands import Answering, Commander, Ending, refresh_command
from edge_runtime.errors import StoreError
from edge_runtime.inbox.journal import Journal
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.inbox.writer import InboxWriter
from edge_runtime.model import Point
from edge_runtime.polling import DevicePoller
from edge_runtime.settings import ConfiguredDevice
from simulators.memory_device import MemorySettings


class Site:
    """A commander between a real inbox and a real journal."""

    def __init__(self, folder, clock):
        self.folder, self.clock = folder, clock
        self.events, self.executed, self.disk = [], 0, True
        self.inbox = InboxWriter(folder / "inbox", clock)
        self.journal = Journal(folder / "journal.db", clock)
        self.reader = InboxReader(folder / "inbox")
        self.start()

    def start(self, *, forgot=False):
        answering = Answering(self.events.append, self.durable)
        self.reader.close()
        known = {"count": self.count}
        self.commander = Commander(
            self.reader, self.journal, answering, self.clock, known, forgot=forgot
        )

    async def count(self):
        self.executed += 1
        return Ending("succeeded")

    async def durable(self):
        if not self.disk:
            raise StoreError("full")

    def send(self, ident, *, kind="command", valid_s=60, body=None):
        now = self.clock.wall_us()
        body = {"name": "count"} if body is None else body
        self.inbox.put(Document(ident, kind, now, now + int(valid_s * 1e6), body))

    def endings(self):
        return [(e.body["command"], e.body["state"], e.body.get("reason")) for e in self.events]

    def close(self):
        self.reader.close()
        self.inbox.close()
        self.journal.close()


@pytest.fixture
def site(tmp_path, clock):
    site = Site(tmp_path, clock)
    yield site
    site.close()


async def test_a_command_is_executed_and_answered_once(site):
    site.send("c1")
    await site.commander.take_arrived()
    await site.commander.take_arrived()
    assert site.executed == 1
    assert site.endings() == [("c1", "succeeded", "")]
    assert site.journal.outcome("c1") == ("succeeded", "")


async def test_after_a_restart_nothing_is_executed_again(site):
    site.send("c1")
    await site.commander.take_arrived()
    site.start()
    await site.commander.take_arrived()
    assert site.executed == 1


async def test_an_expired_command_is_not_executed(site):
    site.send("c1", valid_s=-1)
    await site.commander.take_arrived()
    assert site.executed == 0
    assert site.endings()[0][1] == "expired"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "configuration"}, "no document of kind 'configuration'"),
        ({"body": {"name": "explode"}}, "no command 'explode'"),
        ({"body": {"name": 5}}, "not a command"),
        ({"body": {}}, "not a command"),
    ],
)
async def test_what_the_gateway_does_not_know_fails(site, fields, reason):
    site.send("c1", **fields)
    await site.commander.take_arrived()
    assert site.endings()[0][1] == "failed"
    assert reason in site.endings()[0][2]


async def test_what_a_restart_interrupted_is_answered_as_failed(site):
    site.send("c1")
    site.journal.begin("c1")
    await site.commander.close_interrupted()
    await site.commander.take_arrived()
    assert site.executed == 0
    assert site.endings() == [("c1", "failed", "interrupted by a restart")]


async def test_an_answer_that_did_not_get_on_disk_is_given_again_with_its_id(site):
    site.send("c1")
    site.disk = False
    with pytest.raises(StoreError):
        await site.commander.take_arrived()
    site.disk = True
    await site.commander.close_interrupted()
    assert site.executed == 1
    assert [event.id for event in site.events] == ["c1-result", "c1-result"]


async def test_many_documents_are_taken_in_the_order_they_came(site):
    for number in range(150):
        site.send(f"c{number:03}")
    await site.commander.take_arrived()
    assert [e[0] for e in site.endings()] == [f"c{n:03}" for n in range(150)]


async def test_it_waits_for_notice_and_survives_a_full_disk(site, clock):
    task = asyncio.ensure_future(site.commander.run())
    site.disk = False
    site.send("c1")
    site.commander.notice()
    await clock.advance(1.5)
    site.disk = True
    await clock.advance(2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert site.executed == 1
    assert site.journal.unfinished() == []


class Refresh:
    """The command ``refresh`` over devices in memory that were read once."""

    def __init__(self, devices, clock):
        self.devices, self.clock, self.bus = devices, clock, Bus()
        self.tasks, self.pollers, self.declared = [], [], 0

    async def add(self, name, *, reachable=True):
        self.devices.place(name).reachable = reachable
        settings = MemorySettings(name=name, place=name, interval_s=50, points=(Point(name="a"),))
        device = ConfiguredDevice(self.devices.driver(), settings)
        poller = DevicePoller(device, self.bus, self.clock)
        self.pollers.append(poller)
        self.tasks.append(asyncio.ensure_future(poller.run()))
        await self.clock.advance(0.1)

    def declare(self):
        self.declared += 1

    async def execute(self):
        return await refresh_command(self.pollers, self.declare)["refresh"]()


@pytest.fixture
async def refresh(devices, clock):
    refresh = Refresh(devices, clock)
    yield refresh
    for task in refresh.tasks:
        task.cancel()
    await asyncio.gather(*refresh.tasks, return_exceptions=True)


async def test_refresh_reads_every_device_and_declares_the_points(refresh):
    await refresh.add("one")
    await refresh.add("two")
    assert await refresh.execute() == Ending("succeeded")
    assert [len(refresh.devices.place(n).reads) for n in ("one", "two")] == [2, 2]
    assert refresh.declared == 1


async def test_refresh_names_the_devices_that_are_silent(refresh):
    await refresh.add("one")
    await refresh.add("two", reachable=False)
    assert await refresh.execute() == Ending("succeeded", "silent: two")


async def test_refresh_fails_when_every_device_is_silent(refresh):
    await refresh.add("two", reachable=False)
    assert await refresh.execute() == Ending("failed", "silent: two")


async def test_a_faulty_driver_does_not_stop_the_others(refresh):
    await refresh.add("one")
    await refresh.add("two")
    refresh.devices.place("one").broken = ZeroDivisionError("oops")
    assert await refresh.execute() == Ending("succeeded", "silent: one")


async def test_when_the_journal_was_lost_nothing_is_executed_again(site):
    site.send("c1")
    site.start(forgot=True)
    await site.commander.close_interrupted()
    site.send("c2")
    await site.commander.take_arrived()
    assert [(e[0], e[1]) for e in site.endings()] == [("c1", "failed"), ("c2", "succeeded")]
    assert site.executed == 1
