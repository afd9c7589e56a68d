"""HTTP devices for the driver contract: our simulator, Python's file server, a sensor that posts."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from subject import Subject

from components.http.driver import driver
from simulators.http.sensor import Posting
from simulators.http.server import Reply, WebDevice, json_reply, serve

TIMEOUT_S = 2.0
TOKEN = "0123456789abcdef-contract"
VALUES = {"power": 41.5, "large": (1 << 63) + 1, "on": True, "serial": "SN-1", "second": -7}
STATUS = {
    "power": 41.5, "large": (1 << 63) + 1, "on": True, "serial": "SN-1", "list": [1, {"x": -7}],
}  # fmt: skip
PLACES = {
    "power": "$.power", "large": "$.large", "on": "$.on", "serial": "$.serial",
    "second": "$.list[1].x",
}  # fmt: skip
KINDS = {"serial": "text", "on": "boolean", "large": "integer"}
POINTS = [
    {"name": name, "kind": KINDS.get(name, "float"), "json_path": path}
    for name, path in PLACES.items()
]


class Steady:
    """A device whose values stay, and can be written."""

    def __init__(self) -> None:
        self.power = 41.5

    def advance(self, t, dt, of_day):
        pass

    def answer(self, method, path, body) -> Reply | None:
        if (method, path) == ("PUT", "/power"):
            self.power = body["set"]
            return json_reply({})
        return json_reply({**STATUS, "power": self.power}) if path == "/status" else None


@asynccontextmanager
async def poll_simulator(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator."""
    stack, device = AsyncExitStack(), WebDevice(Steady())
    port = await stack.enter_async_context(serve(device))

    async def restore() -> None:
        await stack.enter_async_context(serve(device, port=port))

    write = {"method": "PUT", "path": "/power", "body": {"set": "{value}"}}
    points = [
        {**POINTS[0], "write": write},
        *POINTS[1:],
        {"name": "absent", "path": "/nowhere", "json_path": "$.x"},
    ]
    settings = _polled(port, "/status", points)
    try:
        yield Subject(driver, settings, VALUES, "absent", stack.aclose, restore, ("power", 7.25))
    finally:
        await stack.aclose()


@asynccontextmanager
async def poll_peer(folder: Path) -> AsyncIterator[Subject]:
    """Python's own file server, a process of its own."""
    root = folder / "http-peer"
    root.mkdir(exist_ok=True)
    (root / "status.json").write_text(json.dumps(STATUS))
    (root / "plain.txt").write_text("21.5\n")
    port = free_port()
    running: list[asyncio.subprocess.Process] = []

    async def restore() -> None:
        running.append(await _file_server(root, port))

    async def lose() -> None:
        while running:
            process = running.pop()
            process.terminate()
            await process.wait()

    points = [
        *POINTS,
        {"name": "plain", "path": "/plain.txt"},
        {"name": "absent", "path": "/nowhere.json", "json_path": "$.x"},
    ]
    settings = _polled(port, "/status.json", points)
    await restore()
    try:
        yield Subject(driver, settings, VALUES | {"plain": 21.5}, "absent", lose, restore)
    finally:
        await lose()


@asynccontextmanager
async def push(folder: Path) -> AsyncIterator[Subject]:
    """A sensor that posts every 50 ms, without one of its values."""
    posting = Posting("127.0.0.1", free_port(), "device", TOKEN)
    body = json.dumps({**STATUS, "absent": None}).encode()
    tasks: set[asyncio.Task] = set()

    async def post() -> None:
        while True:
            await posting.post(body, "application/json")
            await asyncio.sleep(0.05)

    async def restore() -> None:
        tasks.add(asyncio.create_task(post()))

    async def lose() -> None:
        while tasks:
            task = tasks.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.25)  # longer than was promised

    settings = driver.settings(
        name="device",
        listen=f"127.0.0.1:{posting.port}",
        token=TOKEN,
        stale_after_s=0.2,
        timeout_s=0.5,
        points=[*POINTS, {"name": "absent", "json_path": "$.absent"}],
    )
    await restore()
    try:
        yield Subject(driver, settings, VALUES, "absent", lose, restore)
    finally:
        await lose()


def _polled(port: int, path: str, points: list) -> object:
    return driver.settings(
        name="device",
        url=f"http://127.0.0.1:{port}",
        path=path,
        timeout_s=TIMEOUT_S,
        points=points,
    )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def _file_server(root: Path, port: int) -> asyncio.subprocess.Process:
    command = (sys.executable, "-I", "-m", "http.server", str(port), "--bind", "127.0.0.1",
               "--directory", str(root))  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL,
                                                   stdout=asyncio.subprocess.DEVNULL)  # fmt: skip
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return process
    raise TimeoutError
