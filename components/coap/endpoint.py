"""The UDP sockets under CoAP: one for all that is asked, one a port for what is listened to.

aiocoap would also open TCP, TLS and WebSocket ports, and share a listening port with whoever comes
later; here is plain UDP, on a port of one's own.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from aiocoap import error as foreign
from aiocoap.message import Message
from aiocoap.messagemanager import MessageManager
from aiocoap.protocol import Context
from aiocoap.resource import Resource
from aiocoap.tokenmanager import TokenManager
from aiocoap.transports.udp6 import MessageInterfaceUDP6

LOGGER = "coap"
Address = IPv4Address | IPv6Address
Admit = Callable[[Address, int], bool]
"""Tells by sender and code (the second byte) whether a datagram is read."""
REQUESTS = range(1, 32)
"""Codes of requests (RFC 7252 12.1.1)."""
HEADER_BYTES = 4


def answers_only(address: Address, code: int) -> bool:
    """Admit what comes back to who asks; a request to it would be answered and remembered."""
    _ = address
    return code not in REQUESTS


class GuardedInterface(MessageInterfaceUDP6):  # type: ignore[misc]
    """Drops datagrams of strangers unread, and such that are no CoAP without a word in the log."""

    admit: Admit = staticmethod(answers_only)
    """Decides before anything is decoded, answered or remembered."""

    def datagram_msg_received(
        self, data: bytes, ancdata: Any, flags: int, address: tuple[Any, ...]
    ) -> None:
        """Pass a datagram on if it is CoAP and its sender is admitted."""
        if len(data) < HEADER_BYTES or not self.admit(address_of(address), data[1]):
            return
        try:
            Message.decode(data)
        except (foreign.UnparsableMessage, ValueError, IndexError):
            return
        super().datagram_msg_received(data, ancdata, flags, address)


def address_of(sockaddr: tuple[Any, ...]) -> Address:
    """Give the address of a peer; IPv4 as such and not as mapped into IPv6."""
    address = ip_address(str(sockaddr[0]).partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


async def _open(bind: tuple[str, int] | None, site: Resource | None, admit: Admit) -> Context:
    """Open a socket for IPv4 and IPv6.

    Raises:
        OSError: the port is taken, or the address is not ours.

    """
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if bind is not None:
            sock.bind(await _resolved(bind))
        context = Context(loop=loop, serversite=site, loggername=LOGGER)
        tokens = TokenManager(context)
        messages = MessageManager(tokens)
        interface = await GuardedInterface._create_transport_endpoint(  # noqa: SLF001 - see above
            sock, messages, logging.getLogger(LOGGER), loop
        )
    except BaseException:
        sock.close()
        raise
    interface.admit = admit
    messages.message_interface, tokens.token_interface = interface, messages
    context.request_interfaces.append(tokens)
    return context


async def _resolved(bind: tuple[str, int]) -> Any:
    loop = asyncio.get_running_loop()
    host, port = bind
    found = await loop.getaddrinfo(
        host, port, family=socket.AF_INET6, type=socket.SOCK_DGRAM,
        flags=socket.AI_V4MAPPED | socket.AI_ALL,
    )  # fmt: skip
    return found[0][4]


@asynccontextmanager
async def open_server(host: str, port: int, site: Resource, admit: Admit) -> AsyncIterator[int]:
    """Listen and answer; gives the port.

    Raises:
        OSError: the port is taken, or the address is not ours.

    """
    context = await _open((host, port), site, admit)
    try:
        interface = context.request_interfaces[0].token_interface.message_interface
        yield interface.transport.get_extra_info("socket").getsockname()[1]
    finally:
        await context.shutdown()


class Asker:
    """The socket from which all devices of an event loop are asked."""

    def __init__(self) -> None:
        self.users = 0
        self._context: Context | None = None
        self._opening = asyncio.Lock()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def context(self) -> Context:
        """Give the socket, open.

        Raises:
            OSError: this machine has no IPv6, not even for itself.

        """
        async with self._opening:
            if self._context is None:
                self._context = await _open(None, None, answers_only)
            return self._context

    def turn(self, hostport: str) -> asyncio.Lock:
        """Give the lock of a host: one request at a time (NSTART, RFC 7252 4.7)."""
        return self._turns.setdefault(hostport, asyncio.Lock())

    async def close(self) -> None:
        """Close."""
        context, self._context = self._context, None
        if context is not None:
            await context.shutdown()


_askers: WeakKeyDictionary[asyncio.AbstractEventLoop, Asker] = WeakKeyDictionary()


@asynccontextmanager
async def shared_asker() -> AsyncIterator[Asker]:
    """Share the socket with every other device of this event loop; the last one closes it."""
    loop = asyncio.get_running_loop()
    asker = _askers.setdefault(loop, Asker())
    asker.users += 1
    try:
        yield asker
    finally:
        asker.users -= 1
        if not asker.users:
            _askers.pop(loop, None)
            await asker.close()
