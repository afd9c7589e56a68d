import pytest

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.identity import StreamsReply, StreamState
from cloud_sync.wire.samples import Sample
from edge_runtime.device_status import DeviceStatus
from edge_runtime.host.context import Folders
from edge_runtime.inbox.writer import InboxWriter
from edge_runtime.outbox.writer import Outbox
from edge_runtime.settings import load_settings
from simulators.manual_clock import ManualClock
from simulators.memory_device import MemoryDevices
from tidegate.edge.health import backlog, device_health, gateway_health
from tidegate.edge.verifying import verified

GATEWAY = """\
gateway: {name: cellar-1, cloud: {url: "https://cloud.test"}}
devices:
  - {name: pump, protocol: memory, interval_s: 2, points: [{name: a}, {name: b}]}
"""
SECOND = 1_000_000


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    return load_settings(tmp_path / "gateway.yaml", lambda _: MemoryDevices().driver())


@pytest.fixture
async def folders(settings, clock):
    """Two batches of samples and one of events, of which the cloud has batch 1 of each."""
    folders = Folders(settings.state_dir)
    async with Outbox.open(folders.outbox, settings.outbox, clock) as outbox:
        for second in range(2):
            us = clock.wall_us() - (20 - second) * SECOND
            await outbox.append_samples([Sample("pump/a", us, 1.0), Sample("pump/b", us, 2.0)])
        await outbox.append_events([Event("e1", "gateway.started", clock.wall_us(), {})])
        epoch = outbox.epoch
    inbox = InboxWriter(folders.inbox, clock)
    for stream in Stream:
        inbox.acknowledge(stream, epoch, ((1, 2),))
    inbox.close()
    return folders, epoch


@pytest.mark.parametrize(
    ("fields", "age_s", "health"),
    [
        ({"newest_good_us": 0}, 1, "good"),
        ({"newest_good_us": 0}, 12, "late"),
        ({"newest_good_us": 0, "silent_since_us": 0, "silent_reason": "gone"}, 1, "silent"),
        ({}, 1, "never"),
    ],
)
def test_health_is_the_age_of_the_newest_good_value(settings, fields, age_s, health):
    statuses = {"pump": DeviceStatus(**fields)}
    found = device_health(settings.devices[0], statuses, age_s * SECOND)
    assert found.health == health


async def test_the_backlog_is_what_the_cloud_has_not(folders, clock):
    events, samples = backlog(folders[0].outbox, folders[0].inbox, clock.wall_us())
    assert (events.batches, events.items, events.oldest_age_s) == (0, 0, None)
    assert (samples.batches, samples.items, samples.oldest_age_s) == (1, 2, 19.0)


async def test_a_stopped_gateway_is_not_fine(settings, folders, clock):
    health = gateway_health(settings, clock.wall_us())
    assert (health.runtime, health.agent, health.fine) == ("never started", "never started", False)
    assert health.devices[0].reason == "the runtime is stopped"


def reply(epoch, samples, count):
    return StreamsReply(
        streams=[
            StreamState(stream="events", epoch=epoch, received="{[1,2)}", lost="{}", samples=1),
            StreamState(stream="samples", epoch=epoch, received=samples, lost="{}", samples=count),
        ]
    )


async def test_both_ends_agree(settings, folders):
    report = verified(settings, reply(folders[1], "{[1,2)}", 2))
    assert report.complete
    samples = next(s for s in report.streams if s.stream == "samples")
    assert (samples.to_send, samples.missing, samples.duplicate_items) == ("{[2,3)}", "{}", 0)


async def test_an_acknowledged_batch_that_the_cloud_has_not_is_missing(settings, folders):
    report = verified(settings, reply(folders[1], "{}", 0))
    samples = next(s for s in report.streams if s.stream == "samples")
    assert not report.complete
    assert samples.missing == "{[1,2)}"


async def test_more_samples_than_were_sent_are_duplicates(settings, folders):
    report = verified(settings, reply(folders[1], "{[1,2)}", 3))
    assert not report.complete
    assert sum(s.duplicate_items or 0 for s in report.streams) == 1
