"""Asks all CoAP nodes of a network at once (RFC 7252 8.2) and gathers who answers.

aiocoap gives one answer a request, a multicast request has many: this sends one datagram by itself.
"""

import asyncio
import secrets
import socket
from typing import Any

from aiocoap import error as foreign
from aiocoap.message import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type

MAX_ANSWERS = 1_000
HOPS = 1
"""The request stays on the network it is sent on."""


class _Gathering(asyncio.DatagramProtocol):
    def __init__(self, token: bytes) -> None:
        self._token = token
        self.found: dict[tuple[str, int], None] = {}

    def datagram_received(self, data: bytes, addr: Any) -> None:
        try:
            message = Message.decode(data)
        except (foreign.Error, ValueError, IndexError):
            return
        fits = message.token == self._token and message.code.is_response()
        if fits and len(self.found) < MAX_ANSWERS:
            self.found[addr[0], addr[1]] = None


async def who_is_there(group: str, port: int, wait_s: float) -> list[tuple[str, int]]:
    """Send one request to an IPv4 group and wait; gives address and port of who answered.

    Raises:
        OSError: this machine cannot send to the group.

    """
    token = secrets.token_bytes(4)
    message = Message(
        code=Code.GET, _mtype=Type.NON, _mid=secrets.randbelow(65_536), _token=token,
        uri_path=(".well-known", "core"),
    )  # fmt: skip
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, HOPS)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, gathering = await loop.create_datagram_endpoint(lambda: _Gathering(token), sock=sock)
    try:
        sock.sendto(message.encode(), (group, port))
        await asyncio.sleep(wait_s)
    finally:
        transport.close()
    return list(gathering.found)
