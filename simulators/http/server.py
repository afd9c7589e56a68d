"""A small HTTP/1.1 server for simulated devices, by hand: no library's server can misbehave.

async with serve(HeatPump(), faults=(faults := {})) as port:
    faults["/api/v1/status"] = Truncated()
"""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from simulators.http.faults import Fault, HangUp

LOOPBACK = "127.0.0.1"
MAX_HEAD_BYTES = 16_384
MAX_BODY_BYTES = 65_536
STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"


def json_reply(document: Any, status: int = 200) -> Reply:
    """Answer with JSON."""
    return Reply(status, json.dumps(document).encode())


class Model(Protocol):
    """A device as physics: time in, answers out."""

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass, up to ``t`` after the start, ``of_day`` after midnight."""
        ...

    def answer(self, method: str, path: str, body: Any) -> Reply | None:
        """Answer a request; None where there is nothing of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebDevice:
    """What is behind the port; faults are changed while it serves."""

    model: Model
    authorization: str | None = None
    """Expected of every request; others are answered with 401."""
    faults: MutableMapping[str, Fault] = field(default_factory=dict)
    """By path; ``*`` for all others."""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    t: float = 0.0
    midnight_s: float = 0.0

    def advance(self, t: float) -> None:
        """Bring the model to ``t`` seconds after the start."""
        while t > self.t:
            dt = min(STEP_S, t - self.t)
            self.t += dt
            self.model.advance(self.t, dt, self.midnight_s + self.t)

    def answer(self, asked: Asked) -> bytes:
        """Give the whole answer."""
        self.asked.append(asked)
        if self.authorization is not None and asked.headers.get("authorization") != (
            self.authorization
        ):
            return _encoded(json_reply({"error": "who are you?"}, 401))
        try:
            body = json.loads(asked.body) if asked.body else None
        except ValueError:
            return _encoded(json_reply({"error": "no JSON"}, 400))
        reply = self.model.answer(asked.method, asked.path, body)
        if reply is None:
            return _encoded(json_reply({"error": "not found"}, 404))
        etag = f'"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
        if asked.headers.get("if-none-match") == etag:
            return _encoded(Reply(304), etag)
        return _encoded(reply, etag)


def _encoded(reply: Reply, etag: str = "") -> bytes:
    head = [f"HTTP/1.1 {reply.status} X", f"Content-Length: {len(reply.body)}"]
    if reply.body:
        head.append(f"Content-Type: {reply.media_type}")
    if etag:
        head.append(f"ETag: {etag}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + reply.body


@asynccontextmanager
async def serve(
    device: WebDevice,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Serve a device; gives the port. Leaving hangs up on everybody.

    Raises:
        OSError: the port is taken.

    """
    loop = asyncio.get_running_loop()
    start = loop.time() - device.t
    now = datetime.now().astimezone()
    device.midnight_s = now.hour * 3600.0 + now.minute * 60 + now.second
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        device.connections += 1
        try:
            await _talk(device, reader, writer, lambda: device.advance(loop.time() - start))
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            ValueError,
            asyncio.CancelledError,
        ):
            pass  # the other side left or sends no HTTP, or we leave
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, host, port, ssl=tls, limit=MAX_HEAD_BYTES)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        running = list(tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def _talk(
    device: WebDevice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, now: Any
) -> None:
    while True:
        asked = await _request(reader)
        now()
        whole = device.answer(asked)
        fault = device.faults.get(asked.path, device.faults.get("*", Fault()))
        data = await fault.apply(whole)
        if data is None or isinstance(fault, HangUp):
            return
        writer.write(data)
        await writer.drain()
        if b"Connection: close" in data.partition(b"\r\n\r\n")[0]:
            return


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
    }
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= MAX_BODY_BYTES:
        raise ValueError(length)
    return Asked(method, path, headers, await reader.readexactly(length))
