"""The endpoint that devices post to."""

import asyncio
import json
import socket
import time

import pytest
import yaml

from components.http import limits
from components.http.driver import driver
from components.http.settings import Point
from edge_runtime.driver import Subscribable
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from edge_runtime.profiles.loader import built_in_folder
from simulators.http.sensor import FORMATS, Posting, RoomSensor, message
from tests.integration.http.certificates import client_tls, write_certificate

TOKEN = "0123456789abcdef"
POINTS = [{"name": "power", "json_path": "$.power"}, {"name": "phase", "json_path": "$.phases[0]"}]
SENML = [{"name": n, "record": f"room:{n}"} for n in ("temperature", "humidity", "co2", "battery")]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def settings_of(port, points=POINTS, **fields):
    own = {"name": "sensor", "listen": f"127.0.0.1:{port}", "token": TOKEN, "timeout_s": 0.2}
    return driver.settings(**own | fields, points=points)


@pytest.fixture
def posting():
    return Posting("127.0.0.1", free_port(), "sensor", TOKEN)


class Listening:
    """An open device that listens, and what it reported."""

    def __init__(self, device):
        self.news = []
        self.began = asyncio.Event()
        self.device = device

    async def run(self):
        async for news in self.device.changes([*self.device._places]):
            self.news.append(news)
            self.began.set()

    @property
    def values(self):
        return [(r.point, r.value) for news in self.news for r in news.readings]


@pytest.fixture
async def listening(posting):
    async with driver.open_device(settings_of(posting.port)) as device:
        assert isinstance(device, Subscribable)
        listening = Listening(device)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(listening.run())
            await listening.began.wait()
            yield listening
            task.cancel()


async def post(posting, document, media_type="application/json"):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    status, answer = await posting.post(body, media_type)
    return status, json.loads(answer) if answer else None


async def test_what_is_posted_is_reported_in_order(listening, posting):
    for power in (1, 2, 3):
        assert (await post(posting, {"power": power, "phases": [7]}))[0] == 200
    assert [value for point, value in listening.values if point == "power"] == [1, 2, 3]


async def test_answer_says_what_became_of_each_point(listening, posting):
    assert await post(posting, {"power": None}) == (
        200,
        {
            "accepted": [],
            "rejected": {"power": "device_error:null at $.power"},
            "absent": ["phase"],
        },
    )
    status, told = await post(posting, {"power": 4})
    assert (status, told["accepted"], told["absent"]) == (200, ["power"], ["phase"])
    assert (await post(posting, {"other": 4}))[0] == 422


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"power": NaN}', "application/json", 400),
        (b"[" * 5_000, "application/json", 400),
        (b"1" * 70_000, "application/json", 413),
        (b"{}", "image/png", 415),
        (b"[]", "application/senml+json", 415),
        (b'{"power": 1}', "application/x-www-form-urlencoded", 200),
    ],
)
async def test_bad_posts_are_answered_with_why(listening, posting, body, media_type, status):
    assert (await post(posting, body, media_type))[0] == status


@pytest.mark.parametrize(
    ("device", "token"), [("sensor", "wrong"), ("sensor", ""), ("other", TOKEN), ("", TOKEN)]
)
async def test_who_has_no_right_token_learns_nothing(listening, posting, device, token):
    stranger = Posting("127.0.0.1", posting.port, device, token)
    assert await post(stranger, {"power": 1}) == (401, {"error": "not authorised"})
    assert not listening.values


async def test_too_many_posts_are_slowed_down(posting):
    async with driver.open_device(settings_of(posting.port, max_posts_per_s=2)) as device:
        await asyncio.gather(device.read([]), return_exceptions=True)
        statuses = [(await post(posting, {"power": n}))[0] for n in range(4)]
    assert statuses == [200, 200, 429, 429]


async def test_runtime_that_is_behind_makes_the_device_wait(listening, posting, monkeypatch):
    monkeypatch.setattr(limits, "MAX_WAITING", 1)
    status, _ = await post(posting, {"power": 1, "phases": [2]})
    assert status == 503


@pytest.mark.parametrize("head", [b"", b"POST /push/sensor HTTP/1.1\r\nHost: x\r\n"])
async def test_slow_head_is_hung_up_on(listening, posting, monkeypatch, head):
    monkeypatch.setattr(limits, "HEAD_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", posting.port)
    writer.write(head)
    started = time.monotonic()
    assert await reader.read() == b""
    assert time.monotonic() - started < 2
    writer.close()


async def test_slow_handshake_is_hung_up_on(posting, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "HEAD_S", 0.1)
    certificate, key = write_certificate(tmp_path)
    settings = settings_of(posting.port, certificate_file=certificate, key_file=key)
    async with driver.open_device(settings) as device:
        await asyncio.gather(device.read(["power"]), return_exceptions=True)
        reader, writer = await asyncio.open_connection("127.0.0.1", posting.port)
        async with asyncio.timeout(2):
            assert await reader.read() == b""
        writer.close()


async def test_slow_body_is_hung_up_on(listening, posting, monkeypatch):
    monkeypatch.setattr(limits, "BODY_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", posting.port)
    head = f"POST /push/sensor HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n"
    writer.write(head.encode() + b"{")
    assert b" 408 " in await reader.readline()
    writer.close()


async def test_too_many_connections_are_closed(listening, posting, monkeypatch):
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 1)
    _, held = await asyncio.open_connection("127.0.0.1", posting.port)
    await asyncio.sleep(0.05)
    assert (await post(posting, {"power": 1}))[0] == 0
    held.close()
    await asyncio.sleep(0.05)
    assert (await post(posting, {"power": 1}))[0] == 200


async def test_garbage_harms_nobody(listening, posting):
    reader, writer = await asyncio.open_connection("127.0.0.1", posting.port)
    writer.write(b"\x16\x03\x01\x00\r\n\r\n")
    await reader.read()
    writer.close()
    assert (await post(posting, {"power": 1}))[0] == 200


@pytest.mark.parametrize("form", FORMATS)
async def test_sensor_is_heard_in_each_format(posting, form):
    profile = yaml.safe_load((built_in_folder() / "demo-room-sensor.yaml").read_text())
    json_form = form == "json"
    points = profile["points"] if json_form else SENML
    defaults = {"time_path": "$.time", "time_unit": "ms"} if json_form else {}
    sensor, now_us = RoomSensor(), time.time_ns() // 1000
    sensor.advance(1.0, 0.0)
    async with driver.open_device(settings_of(posting.port, points, **defaults)) as device:
        reading = asyncio.create_task(device.read([Point(**p).name for p in points]))
        while posting.taken == 0:
            await posting.post(*message(sensor, form, now_us))
        readings = {r.point: r for r in await reading}
    assert {name: r.value for name, r in readings.items()} == {
        name: value for name, (value, _) in sensor.values().items()
    }
    assert {r.source_us // 1000 for r in readings.values()} == {now_us // 1000}


async def test_silent_device_is_unreachable_with_a_hint(posting):
    async with driver.open_device(settings_of(posting.port)) as device:
        with pytest.raises(DeviceUnreachableError) as caught:
            await device.read(["power"])
    assert "token" in caught.value.hint


@pytest.mark.parametrize("host", ["[", "a:b:c", "[::1", ""])
async def test_a_strange_host_header_gets_no_more_than_anybody(listening, posting, host):
    reader, writer = await asyncio.open_connection("127.0.0.1", posting.port)
    writer.write(
        f"POST /push/sensor HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    )
    status = (await reader.readline()).split()[1]
    writer.close()
    assert status in {b"400", b"401"}


async def test_two_devices_share_an_address_and_neither_may_post_for_the_other(posting):
    other = settings_of(posting.port, name="other", token="another-token-0123")
    async with (
        driver.open_device(settings_of(posting.port)) as one,
        driver.open_device(other) as two,
    ):
        await asyncio.gather(one.read(["power"]), two.read(["power"]), return_exceptions=True)
        assert (await post(posting, {"power": 1}))[0] == 200
        assert (await post(Posting("127.0.0.1", posting.port, "other", TOKEN), {}))[0] == 401
        with pytest.raises(DeviceUnreachableError):
            await two.read(["power"])


async def test_taken_port_is_unreachable_with_a_hint(posting):
    blocking = await asyncio.start_server(lambda r, w: None, "127.0.0.1", posting.port)
    async with blocking, driver.open_device(settings_of(posting.port)) as device:
        with pytest.raises(DeviceUnreachableError, match="cannot listen") as caught:
            await device.read(["power"])
    assert caught.value.hint


async def test_tls_is_served_and_one_address_has_one_certificate(posting, tmp_path):
    certificate, key = write_certificate(tmp_path)
    files = {"certificate_file": certificate, "key_file": key}
    posting.host, posting.tls = "localhost", client_tls(certificate)
    async with driver.open_device(settings_of(posting.port, **files)) as device:
        reading = asyncio.create_task(device.read(["power"]))
        await asyncio.sleep(0.05)
        assert (await post(posting, {"power": 5, "phases": [1]}))[0] == 200
        assert (await reading)[0].value == 5
        with pytest.raises(DeviceRefusedError, match="same certificate"):
            async with driver.open_device(settings_of(posting.port, name="plain")):
                pass


async def test_bad_certificate_is_refused_with_a_hint(posting, tmp_path):
    (tmp_path / "x.pem").write_text("nothing")
    files = {"certificate_file": tmp_path / "x.pem", "key_file": tmp_path / "x.pem"}
    async with driver.open_device(settings_of(posting.port, **files)) as device:
        with pytest.raises(DeviceRefusedError) as caught:
            await device.read(["power"])
    assert "PEM" in caught.value.hint


async def test_curl_posts(listening, posting, require_tool):
    curl = require_tool("curl", "curl")
    process = await asyncio.create_subprocess_exec(
        curl, "-sS", "-H", f"Authorization: Bearer {TOKEN}", "-d", '{"power": 12.5}',
        f"http://127.0.0.1:{posting.port}/push/sensor", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert json.loads(out)["accepted"] == ["power"]
    assert listening.values == [("power", 12.5)]


async def test_listener_goes_with_its_last_device(posting):
    async with driver.open_device(settings_of(posting.port)) as device:
        await asyncio.gather(device.read(["power"]), return_exceptions=True)
        assert (await post(posting, {"power": 1}))[0] == 200
    assert (await post(posting, {"power": 1}))[0] == 0


async def test_good_reading_is_kept_for_points_that_a_message_does_not_hold(listening, posting):
    await post(posting, {"power": 1, "phases": [3]})
    await post(posting, {"power": 2})
    readings = {r.point: r for r in await listening.device.read(["power", "phase"])}
    assert (readings["power"].value, readings["phase"].value) == (2, 3)
    assert readings["phase"].quality is Quality.GOOD
