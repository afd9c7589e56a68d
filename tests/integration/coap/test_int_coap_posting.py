"""Devices that post to the gateway: libcoap's client, and senders that mean no good."""

import asyncio
import json
import random
import socket
from contextlib import AsyncExitStack, aclosing, closing
from ipaddress import ip_address

import cbor2
import pytest
from libcoap import CLIENT, answers, free_port, libcoap_client

from components.coap.driver import driver
from components.coap.listener import Posted
from components.coap.values import Payload
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.coap.resources import Resource
from simulators.coap.server import CoapDevice, serve

BASE = "urn:dev:mac:0024befffe804ff1:"
PACK_POINTS = [{"name": "temp", "unit": "Cel"}, {"name": "running", "kind": "boolean"}]


@pytest.fixture
def port(require_tool):
    require_tool(CLIENT, "libcoap3-bin")
    return free_port()


def settings_of(port, name="tank", points=PACK_POINTS, **more):
    more = {"sources": ["127.0.0.0/8"], "timeout_s": 0.3, "base_name": BASE} | more
    return driver.settings(name=name, listen="127.0.0.1", port=port, points=points, **more)


async def post(port, body, content_format, path="tank", *options):
    """Post with libcoap's client; gives the code of the answer (or nothing) and its text."""
    encoded = "".join(f"%{byte:02X}" for byte in body)
    out, err = await libcoap_client(
        "-B", "1", "-m", "post", "-t", str(content_format), "-e", encoded, *options,
        f"coap://127.0.0.1:{port}/{path}",
    )  # fmt: skip
    return out.strip() or err.strip()


def pack(*records):
    return json.dumps(list(records)).encode()


def by_point(readings):
    return {r.point: r.value if r.quality is Quality.GOOD else r.reason for r in readings}


async def read(device, *names):
    return by_point(await device.read(names or ["temp", "running"]))


async def test_senml_in_json_is_taken(port):
    body = pack({"bn": BASE, "n": "temp", "u": "Cel", "v": 21.5}, {"n": "running", "vb": True})
    async with driver.open_device(settings_of(port)) as device:
        assert await post(port, body, 110) == ""
        [shown, _] = await device.inspect(["temp", "running"])
        assert await read(device) == {"temp": 21.5, "running": True}
    assert shown.shown == "posted by 127.0.0.1, answered 2.04"
    assert shown.data == body


async def test_senml_in_cbor_and_its_time_are_taken(port):
    body = cbor2.dumps([{-2: BASE, -3: 1.7e9, 0: "temp", 2: 21.5}])
    async with driver.open_device(settings_of(port)) as device:
        assert await post(port, body, 112) == ""
        [reading, missing] = await device.read(["temp", "running"])
    assert (reading.value, reading.source_us) == (21.5, 1_700_000_000_000_000)
    assert missing.reason == "no_answer"


async def test_plain_value_goes_to_the_path_of_its_point(port):
    async with driver.open_device(settings_of(port)) as device:
        assert await post(port, b"22.5", 0, "tank/temp") == ""
        assert "one plain value goes to a path of its own" in await post(port, b"22.5", 0)
        assert "no point 'other'" in await post(port, b"1", 0, "tank/other")
        assert (await read(device))["temp"] == 22.5


async def test_json_document_is_taken(port):
    points = [{"name": "temp", "json_path": "$.t"}, {"name": "state", "json_path": "$.s"}]
    settings = settings_of(port, points=points, path="/a/b")
    async with driver.open_device(settings) as device:
        await post(port, b'{"t": 3, "s": "idle"}', 50, "a/b")
        assert await read(device, "temp", "state") == {"temp": 3, "state": "idle"}


async def test_unknown_records_and_wrong_units_are_told_to_the_sender(port):
    body = pack(
        {"bn": BASE, "n": "temp", "u": "K", "v": 294},
        {"n": "running", "vb": True},
        {"n": "humidity", "v": 51},
    )
    async with driver.open_device(settings_of(port)) as device:
        said = await post(port, body, 110)
        assert await read(device) == {"temp": "configuration:unit K, not Cel", "running": True}
        assert device.unknown == 1
    assert "temp: configuration:unit K, not Cel" in said
    assert f"no point takes: {BASE}humidity" in said
    assert "4.00" not in said


@pytest.mark.parametrize(
    ("body", "content_format", "said"),
    [
        (pack({"n": "other", "v": 1}), 110, "4.00 no point takes: other"),
        (pack({"v": 1}), 110, "4.00 record 1 has no name"),
        (b"[{", 110, "4.00 no JSON"),
        (b"\xff", 112, "4.00 no CBOR"),
        (b"<x/>", 41, "4.15 content format 41"),
    ],
)
async def test_post_of_which_nothing_can_be_taken_is_refused(port, body, content_format, said):
    async with driver.open_device(settings_of(port)):
        answer = await post(port, body, content_format)
    assert answer.startswith(said)


async def test_long_post_in_blocks_is_taken_and_a_longer_one_refused(port):
    records = [{"bn": BASE, "n": "temp", "v": 1}, *({"n": f"x{n}", "v": n} for n in range(100))]
    async with driver.open_device(settings_of(port, max_body_bytes=4_096)) as device:
        assert "no point takes" in await post(port, pack(*records), 110)
        assert (await read(device))["temp"] == 1
        assert (await post(port, pack(*records) + b" " * 3_000, 110)).startswith("4.13")


async def test_token_is_asked_for(port, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    settings = settings_of(port, token_file=tmp_path / "token")
    body = pack({"n": f"{BASE}temp", "v": 1})
    async with driver.open_device(settings) as device:
        assert (await post(port, body, 110)).startswith("4.01")
        assert (await post(port, body, 110, "tank?token=s3cre")).startswith("4.01")
        assert await post(port, body, 110, "tank?token=s3cret") == ""
        assert (await read(device))["temp"] == 1


async def test_missing_token_file_lets_nobody_in(port, tmp_path):
    settings = settings_of(port, token_file=tmp_path / "token")
    async with driver.open_device(settings) as device:
        with pytest.raises(DeviceRefusedError) as caught:
            await device.read(["temp"])
    assert "token_file" in caught.value.hint


async def test_stranger_is_not_even_answered(port):
    settings = settings_of(port, sources=["192.0.2.0/24"])
    async with driver.open_device(settings) as device:
        assert await post(port, pack({"n": f"{BASE}temp", "v": 1}), 110) == ""
        with pytest.raises(DeviceUnreachableError) as caught:
            await device.read(["temp"])
    assert "sources" in caught.value.hint


async def test_posts_beyond_the_rate_are_refused(port):
    async with driver.open_device(settings_of(port, max_posts_s=0.5)):
        body = pack({"n": f"{BASE}temp", "v": 1})
        assert await post(port, body, 110) == ""
        assert (await post(port, body, 110)).startswith("4.29")


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [("get", "tank", "4.05"), ("delete", "tank", "4.05"), ("get", "elsewhere", "4.04")],
)
async def test_other_requests_are_refused(port, method, path, said):
    async with driver.open_device(settings_of(port)):
        _, err = await libcoap_client("-m", method, f"coap://127.0.0.1:{port}/{path}")
    assert err.startswith(said)


async def test_devices_share_a_port(port):
    one, two = settings_of(port), settings_of(port, name="other")
    body = pack({"n": f"{BASE}temp", "v": 5})
    async with driver.open_device(one) as tank, driver.open_device(two) as other:
        await post(port, body, 110, "other")
        assert (await read(other))["temp"] == 5
        links, _ = await libcoap_client(f"coap://127.0.0.1:{port}/.well-known/core")
        with pytest.raises(DeviceUnreachableError):
            await tank.read(["temp"])
    assert links.strip().split(",") == ['</tank>;ct="110 112"', '</other>;ct="110 112"']


async def test_news_are_what_was_posted_series_included(port):
    body = pack({"bn": f"{BASE}temp", "bt": 1.7e9, "v": 1}, {"t": 1, "v": 2}, {"t": 2, "v": 3})
    async with (
        driver.open_device(settings_of(port)) as device,
        aclosing(device.changes(["temp"])) as changes,
    ):
        waiting = asyncio.create_task(anext(changes))
        await asyncio.sleep(0)
        await post(port, body, 110)
        async with asyncio.timeout(3):
            news = await waiting
    assert [reading.value for reading in news.readings] == [1, 2, 3]


async def test_taken_port_is_said_when_reading_and_not_before(port):
    async with AsyncExitStack() as stack:
        sock = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        sock.bind(("127.0.0.1", port))
        device = await stack.enter_async_context(driver.open_device(settings_of(port, timeout_s=3)))
        with pytest.raises(DeviceUnreachableError) as caught:
            await device.read(["temp"])
        assert "Does another program listen there?" in caught.value.hint
        sock.close()
        reading = asyncio.create_task(read(device, "temp"))
        assert await answers(port)
        await post(port, pack({"n": f"{BASE}temp", "v": 1}), 110)
        assert await reading == {"temp": 1}


async def test_datagrams_that_are_no_coap_change_nothing(port, caplog):
    rng = random.Random(5)
    post_to_tank = bytes.fromhex("b4") + b"tank"
    async with driver.open_device(settings_of(port, max_posts_s=1_000)) as device:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            sock.connect(("127.0.0.1", port))
            for number in range(300):
                head = bytes([rng.choice((0x40, 0x50, 0x44, 0x60, 0x70)), rng.randrange(256)])
                tail = rng.randbytes(rng.randrange(24))
                if number % 2:
                    head, tail = bytes([0x50, 2]), post_to_tank + rng.randbytes(1) * 9 + tail
                sock.send(head + number.to_bytes(2, "big") + tail)
                await asyncio.sleep(0)
        await post(port, pack({"n": f"{BASE}temp", "v": 1}), 110)
        assert await read(device, "temp") == {"temp": 1}
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert "unparsable" not in caplog.text


async def test_socket_that_asks_answers_nobody(port):
    async with serve(CoapDevice({"/t": Resource(lambda: b"1")})) as server:
        settings = driver.settings(
            name="d", host="127.0.0.1", port=server.port, points=[{"name": "t", "path": "/t"}]
        )
        async with driver.open_device(settings) as device:
            await device.read(["t"])
            context = await device._requests._asker.context()
            own = context.request_interfaces[0].token_interface.message_interface._local_port()
            assert await libcoap_client("-B", "1", f"coap://127.0.0.1:{own}/t") == ("", "")


def heard(device, point, value):
    source = ip_address("127.0.0.1")
    return device.take(Posted(Payload(value, 0), source, (), point))


async def test_value_heard_lately_is_given_when_none_comes():
    settings = settings_of(free_port(), timeout_s=0.05, stale_after_s=60)
    async with driver.open_device(settings) as device:
        heard(device, "temp", b"1")
        assert await read(device) == {"temp": 1, "running": "no_answer"}


async def test_value_heard_long_ago_is_stale():
    settings = settings_of(free_port(), timeout_s=0.05, stale_after_s=0.1)
    async with driver.open_device(settings) as device:
        heard(device, "temp", b"1")
        await asyncio.sleep(0.11)
        heard(device, "running", b"on")
        assert await read(device) == {"temp": "stale", "running": True}


async def test_news_begin_with_what_was_heard_before():
    async with driver.open_device(settings_of(free_port())) as device:
        heard(device, "temp", b"1")
        async with aclosing(device.changes(["temp"])) as changes:
            assert by_point((await anext(changes)).readings) == {"temp": 1}
