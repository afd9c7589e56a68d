import pytest
from asyncua import ua

from components.opcua.ids import node_id
from components.opcua.mailbox import Mailbox
from components.opcua.settings import Point, Settings
from components.opcua.subscription import deadband, monitored, requested
from edge_runtime.model import Reading

NODE = node_id("Level", 2)


def point(**more) -> Point:
    return Point(name="level", node="ns=2;s=Level", **more)


def settings(**more) -> Settings:
    return Settings(name="plc", endpoint="opc.tcp://plc", **({"points": [point()]} | more))


@pytest.mark.parametrize(
    ("interval_s", "timeout_s", "keepalives"), [(1, 4, 2), (0.1, 0.5, 2), (60, 4, 1), (0.05, 4, 27)]
)
def test_server_is_asked_for_a_sign_of_life_within_a_third_of_the_promise(
    interval_s, timeout_s, keepalives
):
    made = settings(interval_s=interval_s, timeout_s=timeout_s)
    asked = requested(made, made.promised_s(made.points[0]))
    assert asked.RequestedMaxKeepAliveCount == keepalives
    assert asked.RequestedPublishingInterval == interval_s * 1000
    assert asked.RequestedLifetimeCount >= 3 * keepalives


def test_publishing_may_be_slower_than_sampling():
    made = settings(interval_s=0.1, publishing_s=2)
    assert requested(made, 30.0).RequestedPublishingInterval == 2000
    item = monitored(made, point(queue_size=20), NODE, 7, filtered=True)
    assert item.RequestedParameters.SamplingInterval == 100
    assert (item.RequestedParameters.QueueSize, item.RequestedParameters.ClientHandle) == (20, 7)


@pytest.mark.parametrize(
    ("more", "sampling_ms"), [({}, 1000), ({"interval_s": 5}, 5000), ({"sampling_s": 0}, 0)]
)
def test_sampling_is_the_points_own_or_the_devices(more, sampling_ms):
    item = monitored(settings(), point(**more), NODE, 1, filtered=True)
    assert item.RequestedParameters.SamplingInterval == sampling_ms


def test_deadband_is_absolute_or_in_per_cent():
    absolute = deadband(point(server_deadband=0.5))
    percent = deadband(point(server_deadband_percent=2))
    assert (absolute.DeadbandType, absolute.DeadbandValue) == (ua.DeadbandType.Absolute, 0.5)
    assert (percent.DeadbandType, percent.DeadbandValue) == (ua.DeadbandType.Percent, 2)
    assert deadband(point()) is None


def test_deadband_is_left_out_where_the_server_refused_it():
    item = monitored(settings(), point(server_deadband=0.5), NODE, 1, filtered=False)
    assert item.RequestedParameters.Filter is None


def test_oldest_reading_of_a_point_gives_way():
    mailbox = Mailbox()
    for value in range(20):
        mailbox.put(point(), Reading("level", value))
    mailbox.put(Point(name="other", node="i=1"), Reading("other", 1))
    taken = mailbox.take()
    assert [r.value for r in taken if r.point == "level"] == list(range(12, 20))
    assert (mailbox.dropped, len(taken), mailbox.take()) == (12, 9, [])


def test_longer_queue_of_a_point_is_kept_whole():
    mailbox = Mailbox()
    for value in range(20):
        mailbox.put(point(queue_size=20), Reading("level", value))
    assert len(mailbox.take()) == 20


async def test_mailbox_wakes_for_news_and_gives_up_on_silence():
    mailbox = Mailbox()
    assert not await mailbox.wait(0.001)
    mailbox.note_alive()
    assert await mailbox.wait(1)
    assert not await mailbox.wait(0.001)
    mailbox.end("BadTimeout")
    assert await mailbox.wait(1)
    assert mailbox.ended == "BadTimeout"
