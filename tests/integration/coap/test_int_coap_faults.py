"""What the driver makes of a device that misbehaves."""

import asyncio
import random
from contextlib import asynccontextmanager, suppress

import pytest

from components.coap.driver import driver
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.coap.faults import Garbage, Refuse, Silence, Slow, WrongFormat
from simulators.coap.resources import JSON, Resource
from simulators.coap.server import CoapDevice, serve

TIMEOUT_S = 0.7
POINTS = [
    {"name": "temp", "path": "/temp"},
    {"name": "other", "path": "/other"},
    {"name": "a", "path": "/doc", "json_path": "$.a"},
    {"name": "b", "path": "/doc", "json_path": "$.b"},
]
FORMATS = ("json", "cbor", "senml")
GOOD = {"temp": 21.5, "other": 7, "a": 1, "b": 2}


@asynccontextmanager
async def opened(device, **settings):
    async with serve(device) as server:
        points = settings.pop("points", POINTS)
        made = driver.settings(
            name="device", host="127.0.0.1", port=server.port, timeout_s=TIMEOUT_S, points=points,
            **settings,
        )  # fmt: skip
        async with driver.open_device(made) as opened:
            yield opened


@pytest.fixture
def device():
    return CoapDevice(
        {
            "/temp": Resource(lambda: b"21.5"),
            "/other": Resource(lambda: b"7", content_format=None),
            "/doc": Resource(lambda: b'{"a": 1, "b": 2}', content_format=JSON),
        }
    )


async def read(opened, *names):
    readings = await opened.read(names or list(GOOD))
    return {r.point: r.value if r.quality is Quality.GOOD else r.reason for r in readings}


async def test_resource_of_many_points_is_fetched_once(device):
    async with opened(device) as coap:
        assert await read(coap) == GOOD
    assert sorted(path for _, path in device.asked) == ["/doc", "/other", "/temp"]


async def test_lost_request_is_repeated(device):
    device.once = [Silence()]
    async with opened(device) as coap:
        assert await read(coap, "temp") == {"temp": 21.5}
    assert device.asked == [("GET", "/temp")] * 2


async def test_silent_resource_costs_no_other_and_is_asked_last(device):
    device.faults["/temp"] = Silence()
    async with opened(device) as coap:
        for _ in range(2):
            assert await read(coap) == GOOD | {"temp": "no_answer"}
        assert device.asked[-1] == ("GET", "/temp")
        device.faults.clear()
        assert await read(coap) == GOOD


async def test_silent_device_costs_two_timeouts_at_most(device):
    device.deaf = lambda: True
    async with opened(device) as coap, asyncio.timeout(3 * TIMEOUT_S):
        with pytest.raises(DeviceUnreachableError) as caught:
            await read(coap)
    assert "did not answer in time" in str(caught.value)
    assert "DTLS" in caught.value.hint


async def test_request_after_a_silence_is_not_held_up_by_it(device):
    async with opened(device) as coap:
        device.deaf = lambda: True
        with pytest.raises(DeviceUnreachableError):
            await read(coap, "temp")
        device.deaf = lambda: False
        assert await read(coap, "temp") == {"temp": 21.5}


async def test_slow_answer_within_the_timeout_is_good(device):
    device.faults["/temp"] = Slow(TIMEOUT_S / 2)
    async with opened(device) as coap:
        assert await read(coap, "temp") == {"temp": 21.5}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Refuse(0x84), "device_error:4.04"),
        (Refuse(0xA3, b"busy"), "device_error:5.03"),
        (Garbage(), "device_error:unreadable"),
        (Garbage(b""), "device_error:unreadable"),
        (WrongFormat(42), "configuration:content format 42"),
        (WrongFormat(50), {"temp": 21.5}),
        (WrongFormat(110), "device_error:unreadable"),
        (WrongFormat(112), "device_error:unreadable"),
    ],
)
async def test_fault_of_one_resource_is_a_bad_point_with_a_reason(device, fault, reason):
    device.faults["/temp"] = fault
    async with opened(device) as coap:
        found = await read(coap)
    temp = found.pop("temp")
    assert temp == (reason["temp"] if isinstance(reason, dict) else reason)
    assert found == {name: value for name, value in GOOD.items() if name != "temp"}


async def test_settings_are_believed_before_a_wrong_content_format(device):
    device.faults["/temp"] = WrongFormat(42)
    async with opened(device, format="plain", points=POINTS[:1]) as coap:
        assert await read(coap, "temp") == {"temp": 21.5}


@pytest.mark.parametrize("size", [1_024, 1_025, 40_000, 65_536])
async def test_answer_in_blocks_is_put_together(device, size):
    text = "".join(chr(97 + place % 26) for place in range(size))
    device.resources["/temp"] = Resource(f'["{text[:-4]}"]'.encode, content_format=JSON)
    points = [{"name": "first", "path": "/temp", "kind": "text", "json_path": "$[1]"}]
    async with opened(device, points=points) as coap:
        [shown] = await coap.inspect(["first"])
    assert len(shown.data) == size
    assert shown.reading.reason == "configuration:nothing at $[1]"


async def test_endless_answer_is_given_up(device):
    device.resources["/temp"] = Resource(lambda: b"1" * 65_537)
    async with opened(device) as coap:
        assert await read(coap, "temp") == {"temp": "device_error:too_long"}


async def test_refused_write_says_why(device):
    async with opened(device) as coap:
        with pytest.raises(DeviceRefusedError) as caught:
            await coap.write("temp", 1.0)
    assert "refused with 4.05" in str(caught.value)
    assert "PUT and POST" in caught.value.hint


async def test_inspection_shows_the_exchange(device):
    async with opened(device) as coap:
        [shown] = await coap.inspect(["temp"])
    assert shown.shown == "GET /temp: 2.05, content format 0, Max-Age 60 s"
    assert shown.data == b"21.5"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
async def test_host_without_an_address_is_unreachable(host):
    settings = driver.settings(name="device", host=host, timeout_s=TIMEOUT_S, points=POINTS)
    async with driver.open_device(settings) as coap:
        with pytest.raises(DeviceUnreachableError):
            await coap.read(["temp"])


async def test_nobody_at_the_port_is_told_at_once():
    settings = driver.settings(name="device", host="127.0.0.1", port=9, timeout_s=30, points=POINTS)
    async with driver.open_device(settings) as coap, asyncio.timeout(2):
        with pytest.raises(DeviceUnreachableError) as caught:
            await coap.read(["temp"])
    assert "nothing listens" in caught.value.hint


async def test_path_and_query_are_sent_as_in_a_uri(device):
    device.resources["/a b/ä"] = Resource(lambda: b"3")
    points = [{"name": "odd", "path": "/a%20b/%C3%A4?u=a%26b"}]
    async with opened(device, points=points) as coap:
        assert await read(coap, "odd") == {"odd": 3}


async def test_format_is_asked_for_where_the_settings_say_so(device):
    points = [{"name": "temp", "path": "/temp", "format": "json", "accept": True}]
    async with opened(device, points=points) as coap:
        assert await read(coap, "temp") == {"temp": 21.5}
    assert device.accepted == [50]


class Scrambler(asyncio.DatagramProtocol):
    """Answers each request with the right token and options and payload that chance made."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        length = data[0] & 0x0F
        code = self.rng.choice((0x45, 0x45, 0x45, 0x5F, 0x84, self.rng.randrange(256)))
        head = bytes([0x60 | length, code]) + data[2 : 4 + length]
        options = self.rng.choice(
            (b"", b"\x60", b"\xc1\x32", b"\xd2\x0a\x06\x00\x0e", b"\xdd\x01\x20")
        )
        self.transport.sendto(head + options + self.rng.randbytes(self.rng.randrange(40)), addr)


async def test_no_answer_raises_anything_else(caplog):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Scrambler(3), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    points = [
        *POINTS[:2],
        *({"name": f"as_{f}", "path": f"/{f}", "format": f"{f}"} for f in FORMATS),
    ]
    settings = driver.settings(
        name="device", host="127.0.0.1", port=port, timeout_s=0.02, points=points
    )
    try:
        async with driver.open_device(settings) as coap:
            for _ in range(15):
                with suppress(DeviceError):
                    assert await coap.read([point["name"] for point in points])
                with suppress(DeviceError):
                    await coap.write("temp", 1)
    finally:
        transport.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_answer_that_changes_between_its_blocks_is_not_put_together(device):
    texts = [b"1" * 3_000, b"2"]
    device.resources["/temp"] = Resource(lambda: texts.pop(0))
    async with opened(device) as coap:
        assert await read(coap, "temp") == {"temp": "device_error:wrong_block"}
