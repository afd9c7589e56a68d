"""CoAP devices for the driver contract: ours, libcoap's, and one that posts to us."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import cbor2
import pytest
from aiocoap.message import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from subject import Subject

from components.coap.driver import driver
from components.payloads.senml import Record, encode_cbor, encode_json
from simulators.coap.resources import CBOR, JSON, Resource
from simulators.coap.server import CoapDevice, serve
from tests.integration.coap.libcoap import free_port, libcoap_server

TIMEOUT_S = 1.5
BASE = "urn:dev:1:"


class Held:
    """A value that is kept as it is written."""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def get(self) -> bytes:
        return self.value

    def put(self, value: bytes) -> bool:
        self.value = value
        return True


def steady_device() -> CoapDevice:
    setpoint = Held(b"19.5")
    pack = [Record(f"{BASE}level", "m", 1.25), Record(f"{BASE}full", "", False)]
    return CoapDevice(
        {
            "/temp": Resource(lambda: b"21.5", observable=True),
            "/setpoint": Resource(setpoint.get, put=setpoint.put),
            "/doc": Resource(lambda: b'{"a": {"b": [7]}}', content_format=JSON),
            "/doc.cbor": Resource(lambda: cbor2.dumps({"name": "x"}), content_format=CBOR),
            "/pack": Resource(lambda: encode_json(pack), content_format=110),
            "/long": Resource(lambda: b"x" * 990 + b"y" * 10, content_format=None),
        }
    )


STEADY_POINTS = [
    {"name": "temp", "path": "/temp", "unit": "Cel"},
    {"name": "setpoint", "path": "/setpoint"},
    {"name": "seven", "path": "/doc", "json_path": "$.a.b[0]", "kind": "integer"},
    {"name": "text", "path": "/doc.cbor", "json_path": "$.name", "kind": "text"},
    {"name": "level", "path": "/pack", "record": "level", "unit": "m"},
    {"name": "full", "path": "/pack", "record": "full", "kind": "boolean"},
    {"name": "absent", "path": "/absent"},
]
STEADY_VALUES = {
    "temp": 21.5, "setpoint": 19.5, "seven": 7, "text": "x", "level": 1.25, "full": False,
}  # fmt: skip

PEER_POINTS = [
    {"name": "example", "path": "/example_data", "kind": "text", "method": "put"},
    {"name": "again", "path": "/example_data", "kind": "text", "format": "plain"},
    {"name": "absent", "path": "/absent"},
]


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator."""
    device, stack = steady_device(), AsyncExitStack()
    server = await stack.enter_async_context(serve(device))
    port = server.port

    async def restore() -> None:
        await stack.enter_async_context(serve(device, port=port))

    settings = driver.settings(
        name="device", host="127.0.0.1", port=port, timeout_s=TIMEOUT_S, base_name=BASE,
        points=STEADY_POINTS,
    )  # fmt: skip
    try:
        yield Subject(
            driver, settings, STEADY_VALUES, "absent", stack.aclose, restore, ("setpoint", 20.25)
        )
    finally:
        await stack.aclose()


@asynccontextmanager
async def libcoap(folder: Path) -> AsyncIterator[Subject]:
    """libcoap's example server; a value of its own, since the time moves."""
    if shutil.which("coap-server-notls") is None:
        pytest.skip("needs coap-server-notls (Debian: libcoap3-bin; `make packages`)")
    port, stack = free_port(), AsyncExitStack()

    async def restore() -> None:
        await stack.enter_async_context(libcoap_server(port))
        async with driver.open_device(settings) as device:
            await device.write("example", "steady")

    settings = driver.settings(
        name="device", host="127.0.0.1", port=port, timeout_s=TIMEOUT_S, points=PEER_POINTS
    )
    values = {"example": "steady", "again": "steady"}
    try:
        await restore()
        yield Subject(
            driver, settings, values, "absent", stack.aclose, restore, ("example", "changed")
        )
    finally:
        await stack.aclose()


POSTED_POINTS = [
    {"name": "temp", "unit": "Cel"},
    {"name": "running", "kind": "boolean"},
    {"name": "state", "kind": "text"},
    {"name": "wrong"},
]
POSTED = [
    Record(f"{BASE}temp", "Cel", 21.5),
    Record(f"{BASE}running", "", True),
    Record(f"{BASE}state", "", "idle"),
]
POSTS = [(("device",), 112, encode_cbor(POSTED)), (("device", "wrong"), 0, b"no number")]


async def post_for_ever(port: int) -> None:
    """Be a device that posts every 20 ms and does not look at the answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        number = 0
        while True:
            number += 1
            path, content_format, payload = POSTS[number % 2]
            message = Message(
                code=Code.POST, _mtype=Type.NON, _mid=number % 65_536, uri_path=path,
                content_format=content_format, payload=payload,
            )  # fmt: skip
            with suppress(ConnectionRefusedError):  # nobody listens yet
                sock.send(message.encode())
            await asyncio.sleep(0.02)


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[Subject]:
    """A device that posts to the gateway."""
    port = free_port()
    sender: list[asyncio.Task[None]] = []

    async def restore() -> None:
        sender.append(asyncio.create_task(post_for_ever(port)))

    async def lose() -> None:
        while sender:
            task = sender.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    settings = driver.settings(
        name="device", listen="127.0.0.1", port=port, sources=["127.0.0.0/8"], base_name=BASE,
        timeout_s=0.6, stale_after_s=0.3, max_posts_s=100, points=POSTED_POINTS,
    )  # fmt: skip
    await restore()
    try:
        good = {"temp": 21.5, "running": True, "state": "idle"}
        yield Subject(driver, settings, good, "wrong", lose, restore)
    finally:
        await lose()
