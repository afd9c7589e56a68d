import asyncio
from ipaddress import ip_address

import pytest

from components.coap.inbox import Inbox
from components.coap.limits import MAX_WAITING
from components.coap.listener import Posted, Verdict
from components.coap.plan import describe
from components.coap.posting import PostingDevice, judge
from components.coap.settings import Settings
from components.coap.values import Decoded, Payload
from edge_runtime.errors import DeviceUnreachableError
from edge_runtime.model import Quality, Reading

GOOD = Reading("t", 1)
BAD = Reading("u", None, Quality.BAD, "configuration:unit K, not Cel")


@pytest.mark.parametrize(
    ("decoded", "verdict"),
    [
        (Decoded([GOOD]), Verdict(0x44)),
        (Decoded([GOOD, BAD]), Verdict(0x44, "u: configuration:unit K, not Cel")),
        (Decoded([], "", ["x"]), Verdict(0x80, "no point takes: x")),
        (Decoded([BAD], "no JSON"), Verdict(0x80, "no JSON")),
        (Decoded([GOOD], "", list("abcdefg")), Verdict(0x44, "no point takes: a, b, c, d, e…")),
    ],
)
def test_sender_is_told_what_became_of_its_post(decoded, verdict):
    assert judge(decoded) == verdict


async def test_allow_list_is_kept_for_each_device():
    device = PostingDevice(
        Settings(
            name="d", listen="::", sources=["10.0.0.0/24", "fd00::/64"], points=[{"name": "t"}]
        )
    )
    codes = {
        source: device.take(Posted(Payload(b"1", 0), ip_address(source), (), "t")).code
        for source in ("10.0.0.9", "10.0.1.9", "fd00::9", "fd01::9")
    }
    assert codes == {"10.0.0.9": 0x44, "10.0.1.9": 0x83, "fd00::9": 0x44, "fd01::9": 0x83}


async def test_inbox_keeps_the_newest_of_each_point():
    inbox = Inbox()
    inbox.put(Reading("a", number) for number in range(MAX_WAITING + 10))
    inbox.put([Reading("b", 1)])
    news = await inbox.news()
    assert [r.value for r in news.readings if r.point == "a"] == list(range(10, MAX_WAITING + 10))
    assert news.readings[-1] == Reading("b", 1)


async def test_inbox_names_all_polled_points_once_each_time_they_change():
    inbox = Inbox()
    inbox.poll(["a"])
    assert (await inbox.news()).polled == {"a"}
    inbox.poll(["b"])
    assert (await inbox.news()).polled == {"a", "b"}
    inbox.put([GOOD])
    assert (await inbox.news()).polled is None


async def test_inbox_tells_its_last_readings_before_the_loss():
    async def lose():
        raise DeviceUnreachableError("gone")

    inbox, task = Inbox(), asyncio.create_task(lose())
    task.add_done_callback(inbox.ended)
    inbox.put([GOOD])
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert (await inbox.news()).readings == [GOOD]
    with pytest.raises(DeviceUnreachableError):
        await inbox.news()


def test_plan_has_one_request_a_resource_and_none_for_a_device_that_posts():
    points = [{"name": "a", "path": "/x"}, {"name": "b", "path": "/x"}, {"name": "c", "path": "/y"}]
    asked = describe(Settings(name="d", host="h", points=points), ["c", "a", "b"])
    assert [(plan.label, plan.points) for plan in asked] == [
        ("GET coap://h:5683/y", ("c",)),
        ("GET coap://h:5683/x", ("a", "b")),
    ]
    settings = Settings(name="d", listen="::", sources=["::/0"], points=[{"name": "a"}])
    assert [plan.bytes_out for plan in describe(settings, ["a"])] == [0]
