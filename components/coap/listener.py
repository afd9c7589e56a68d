"""A port on which devices post, shared by all devices of the gateway that name it.

Nothing here is secret: CoAP without DTLS or OSCORE proves no sender. Who is not in the ``sources``
of any device is not even answered.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple
from weakref import WeakKeyDictionary

from aiocoap import error as foreign
from aiocoap.message import Message
from aiocoap.numbers.codes import Code
from aiocoap.resource import PathCapable, Resource

from components.coap import limits
from components.coap.buckets import Bucket
from components.coap.endpoint import Address, address_of, open_server
from components.coap.exchange import content_format_of
from components.coap.settings import Settings, hostport
from components.coap.values import Payload
from edge_runtime.errors import DeviceUnreachableError

LISTEN_HINT = "Does another program listen there? Is the address in 'listen' one of this machine?"


class Posted(NamedTuple):
    """A post as it arrived."""

    payload: Payload
    source: Address
    query: tuple[str, ...]
    point: str
    """Last part of the path, when it is one below the device's; else empty."""


class Verdict(NamedTuple):
    """How a post is answered."""

    code: int
    text: str = ""
    """Diagnostic payload."""

    @property
    def is_good(self) -> bool:
        """Whether anything of it was taken."""
        return bool(self.code == Code.CHANGED)


Taker = Callable[[Posted], Verdict]


class Doorway(Resource, PathCapable):  # type: ignore[misc]
    """Everything under one port."""

    def __init__(self) -> None:
        super().__init__()
        self.takers: dict[tuple[str, ...], list[tuple[Settings, Taker]]] = {}
        self._bucket = Bucket(limits.MAX_DATAGRAMS_S)

    def admits(self, address: Address, code: int) -> bool:
        """Tell whether a datagram of this sender is read at all."""
        _ = code
        known = any(
            address in network
            for takers in self.takers.values()
            for settings, _ in takers
            for network in settings.sources
        )
        return known and self._bucket.take(asyncio.get_running_loop().time())

    async def needs_blockwise_assembly(self, request: Message) -> bool:
        """Put blocks together as long as the whole stays within the limit."""
        return not self._is_too_long(request)

    async def render(self, request: Message) -> Message:
        """Answer a request."""
        if request.opt.uri_path == (".well-known", "core") and request.code == Code.GET:
            return self._links()
        point, takers = self._find(tuple(request.opt.uri_path))
        if not takers:
            raise foreign.NotFound
        if request.code not in {Code.POST, Code.PUT}:
            raise foreign.UnallowedMethod
        if self._is_too_long(request):
            limit = max(settings.max_body_bytes for settings, _ in takers)
            return Message(code=Code.REQUEST_ENTITY_TOO_LARGE, size1=limit)
        posted = Posted(
            Payload(request.payload, content_format_of(request)),
            address_of(request.remote.sockaddr),
            tuple(request.opt.uri_query),
            point,
        )
        verdicts = [take(posted) for _, take in takers]
        verdict = next((found for found in verdicts if found.is_good), verdicts[0])
        answer = Message(code=verdict.code, payload=verdict.text.encode())
        if verdict.code == Code.TOO_MANY_REQUESTS:
            answer.opt.max_age = 1
        return answer

    def _find(self, path: tuple[str, ...]) -> tuple[str, list[tuple[Settings, Taker]]]:
        if path in self.takers:
            return "", self.takers[path]
        return path[-1] if path else "", self.takers.get(path[:-1], [])

    def _is_too_long(self, request: Message) -> bool:
        """Tell of one block, and of a whole request, whose block option is that of its last."""
        block, announced = request.opt.block1, request.opt.size1
        length: int = len(request.payload)
        if block is not None and length <= block.start:
            length += block.start
        length = max(length, announced or 0)
        takers = self._find(tuple(request.opt.uri_path))[1]
        return length > max((settings.max_body_bytes for settings, _ in takers), default=0)

    def _links(self) -> Message:
        """Tell devices where to post (RFC 6690)."""
        links = ",".join(f'</{"/".join(path)}>;ct="110 112"' for path in self.takers)
        return Message(payload=links.encode(), content_format=limits.LINKS, code=Code.CONTENT)


class Listener:
    """One port, opened by the first device that needs it."""

    def __init__(self, host: str, port: int) -> None:
        self.users = 0
        self.doorway = Doorway()
        self._host, self._port = host, port
        self._opening = asyncio.Lock()
        self._stack: AsyncExitStack | None = None

    async def ensure(self) -> None:
        """Listen, unless it does already.

        Raises:
            DeviceUnreachableError: it cannot.

        """
        async with self._opening:
            if self._stack is not None:
                return
            stack = AsyncExitStack()
            server = open_server(self._host, self._port, self.doorway, self.doorway.admits)
            try:
                await stack.enter_async_context(server)
            except OSError as exc:
                where = hostport(self._host, self._port)
                msg = f"cannot listen on {where}: {exc.strerror or exc}"
                raise DeviceUnreachableError(msg, hint=LISTEN_HINT) from exc
            self._stack = stack

    async def close(self) -> None:
        """Close the port."""
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()


_listeners: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], Listener]] = (
    WeakKeyDictionary()
)


@asynccontextmanager
async def shared_listener(settings: Settings, take: Taker) -> AsyncIterator[Listener]:
    """Share a port with every other device of this event loop; the last one closes it."""
    listeners = _listeners.setdefault(asyncio.get_running_loop(), {})
    key = settings.listen, settings.port
    listener = listeners.setdefault(key, Listener(*key))
    listener.users += 1
    path = tuple(settings.post_path.split("/")[1:])
    taker = settings, take
    listener.doorway.takers.setdefault(path, []).append(taker)
    try:
        yield listener
    finally:
        takers = listener.doorway.takers[path]
        takers.remove(taker)
        if not takers:
            del listener.doorway.takers[path]
        listener.users -= 1
        if not listener.users:
            listeners.pop(key, None)
            await listener.close()
