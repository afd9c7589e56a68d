"""A CoAP server that can be brought to misbehave.

It does the exchanges by itself, because no library's server can be brought to forget its observers,
to send notifications twice or in the wrong order, or to leave a request unanswered. aiocoap only
packs and unpacks the messages.
"""

import asyncio
import socket
import struct
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiocoap import error as foreign
from aiocoap.message import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type

from simulators.coap.faults import Fault
from simulators.coap.resources import LINKS, NOT_ALLOWED, NOT_FOUND, Reply, Resource

Peer = tuple[Any, ...]
LOOPBACK = "127.0.0.1"
WELL_KNOWN = "/.well-known/core"
BLOCK_EXPONENT = 6
"""Blocks of 1024 bytes; larger answers come in several."""
REMEMBERED = 64
"""Requests that are answered again as before when they are repeated."""


def never() -> bool:
    """Tell that a device always answers."""
    return False


@dataclass
class CoapDevice:
    """What is behind the port."""

    resources: MutableMapping[str, Resource] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    """By path; changed while it serves."""
    once: list[Fault] = field(default_factory=list)
    """Faults for the next requests, one each, whatever the path."""
    deaf: Callable[[], bool] = never
    """While it says so, nothing is heard at all."""
    repeat: bool = False
    """Send each notification twice."""
    reorder: bool = False
    """Send each notification's predecessor once more behind it."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request that arrived, repetitions too."""

    accepted: list[int] = field(default_factory=list)
    """Content formats that were asked for."""

    def answer(self, method: Code, path: str, payload: bytes) -> Reply:
        """Give the right answer."""
        if path == WELL_KNOWN and method == Code.GET:
            links = ",".join(r.link(p) for p, r in self.resources.items())
            return Reply(payload=links.encode(), content_format=LINKS)
        resource = self.resources.get(path)
        if resource is None:
            return Reply(NOT_FOUND)
        match method:
            case Code.GET:
                return resource.read()
            case Code.PUT | Code.POST:
                return resource.write(payload)
            case _:
                return Reply(NOT_ALLOWED)


@dataclass(slots=True)
class _Observer:
    peer: Peer
    token: bytes
    path: str
    number: int = 2
    last: Message | None = None


class Server(asyncio.DatagramProtocol):
    """Serves one device."""

    def __init__(self, device: CoapDevice) -> None:
        self.device = device
        self.observers: dict[tuple[Peer, bytes], _Observer] = {}
        self._answered: OrderedDict[tuple[Peer, int], bytes] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: Any = None
        self._mid = 1

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def join(self, group: str) -> None:
        """Hear an IPv4 multicast group, on the interface that leads to it."""
        membership = struct.pack("4sL", socket.inet_aton(group), socket.INADDR_ANY)
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)

    def forget_observers(self) -> None:
        """Forget who observes, as after a restart: from now on they hear nothing."""
        self.observers.clear()

    def notify(self, *paths: str) -> None:
        """Tell observers of these resources, or of all, what they hold now."""
        for observer in list(self.observers.values()):
            if not paths or observer.path in paths:
                self._spawn(self._notify(observer))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        """Take a datagram."""
        if self.device.deaf():
            return
        try:
            message = Message.decode(data)
        except (foreign.UnparsableMessage, ValueError):
            return
        if message.mtype == Type.RST:
            self._drop(addr, message.mid)
        elif message.code.is_request():
            self._spawn(self._request(message, addr))

    def _drop(self, peer: Peer, mid: int) -> None:
        for key, observer in list(self.observers.items()):
            if observer.peer == peer and observer.last is not None and observer.last.mid == mid:
                del self.observers[key]

    async def _request(self, request: Message, peer: Peer) -> None:
        path = "/" + "/".join(request.opt.uri_path)
        self.device.asked.append((request.code.name, path))
        if request.opt.accept is not None:
            self.device.accepted.append(int(request.opt.accept))
        key = peer, request.mid
        if key in self._answered:
            self._transport.sendto(self._answered[key], peer)
            return
        reply = self.device.answer(request.code, path, request.payload)
        fault = self.device.once.pop(0) if self.device.once else self.device.faults.get(path)
        changed = await fault.apply(reply) if fault else reply
        if changed is None:
            return
        answer = self._message(changed, request.token, request.opt.block2)
        answer.mtype = Type.ACK if request.mtype == Type.CON else Type.NON
        answer.mid = request.mid if request.mtype == Type.CON else self._next_mid()
        self._observe(request, path, peer, answer)
        self._send(answer, peer, key)
        if request.code in {Code.PUT, Code.POST} and answer.code.is_successful():
            self.notify(path)

    def _observe(self, request: Message, path: str, peer: Peer, answer: Message) -> None:
        key = peer, request.token
        resource = self.device.resources.get(path)
        if request.opt.observe == 0 and resource is not None and resource.observable:
            if answer.code.is_successful():
                self.observers[key] = _Observer(peer, request.token, path)
                answer.opt.observe = 1
        elif request.opt.observe == 1:
            self.observers.pop(key, None)

    async def _notify(self, observer: _Observer) -> None:
        reply = self.device.answer(Code.GET, observer.path, b"")
        fault = self.device.faults.get(observer.path)
        changed = await fault.apply(reply) if fault else reply
        if changed is None:
            return
        message = self._message(changed, observer.token, None)
        message.mtype, message.mid = Type.NON, self._next_mid()
        if message.code.is_successful():
            message.opt.observe = observer.number
            observer.number += 1
        else:
            self.observers.pop((observer.peer, observer.token), None)
        before, observer.last = observer.last, message
        self._send(message, observer.peer)
        if self.device.repeat:
            self._send(message, observer.peer)
        if self.device.reorder and before is not None:
            self._send(before, observer.peer)

    def _message(self, reply: Reply, token: bytes, wanted: Any) -> Message:
        """Make an answer, one block of it where it is large (RFC 7959)."""
        message = Message(code=reply.code, _token=token)
        message.opt.content_format, message.opt.max_age = reply.content_format, reply.max_age
        number, exponent = (0, BLOCK_EXPONENT) if wanted is None else (wanted[0], wanted[2])
        size = 1 << exponent + 4
        message.payload = reply.payload[number * size : (number + 1) * size]
        if number or len(reply.payload) > size:
            more = len(reply.payload) > (number + 1) * size
            message.opt.block2 = (number, more, exponent)
        return message

    def _send(self, message: Message, peer: Peer, key: tuple[Peer, int] | None = None) -> None:
        data = message.encode()
        if key is not None:
            self._answered[key] = data
            while len(self._answered) > REMEMBERED:
                self._answered.popitem(last=False)
        if not self._transport.is_closing():
            self._transport.sendto(data, peer)

    def _next_mid(self) -> int:
        self._mid = (self._mid + 1) % 65_536
        return self._mid

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Leave."""
        self._transport.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes the socket in its next round


@asynccontextmanager
async def serve(
    device: CoapDevice, *, host: str = LOOPBACK, port: int = 0, group: str = ""
) -> AsyncIterator[Server]:
    """Serve a device; with ``host`` 0.0.0.0 also what is sent to the multicast group.

    Raises:
        OSError: the port is taken.

    """
    loop = asyncio.get_running_loop()
    _, server = await loop.create_datagram_endpoint(lambda: Server(device), local_addr=(host, port))
    try:
        if group:
            server.join(group)
        yield server
    finally:
        await server.close()
