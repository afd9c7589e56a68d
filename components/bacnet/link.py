"""The UDP socket under bacpypes3's layers: one, or two where broadcasts come to their own address.

bacpypes3's own server tries for ever when its port is taken, and handles each datagram in a task that
nobody looks at. Here opening fails at once, what waits is bounded, and closing leaves nothing behind.
"""

import asyncio
import fcntl
import socket
import struct
from collections import deque
from ipaddress import IPv4Interface

from bacpypes3.comm import Server
from bacpypes3.pdu import PDU, IPv4Address, LocalBroadcast, LocalStation

from components.bacnet import limits

ANY = "0.0.0.0"  # noqa: S104 - BACnet's broadcasts only come to a socket bound to every address
EVERYBODY = "255.255.255.255"
MAX_WAITING = 2_000
"""Datagrams in the hands of bacpypes3; more are thrown away."""
OWN_BROADCASTS = 32
RECEIVE_BYTES = 1 << 20
"""Reports of thousands of objects come at once after a subscription."""
SIOCGIFFLAGS, SIOCGIFBRDADDR = 0x8913, 0x8919
"""Requests of netdevice(7)."""
UP_AND_BROADCAST = 0x1 | 0x2
HOST_BITS = 31
"""Networks with fewer addresses have none for broadcasts."""


class Datagrams(Server[PDU]):  # type: ignore[misc]  # untyped
    """Sends and receives datagrams."""

    def __init__(self) -> None:
        super().__init__()
        self.local: tuple[str, int] = ("", 0)
        self.dropped = 0
        self._broadcast: tuple[tuple[str, int], ...] = ()
        self._transports: list[asyncio.DatagramTransport] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: deque[bytes] = deque(maxlen=OWN_BROADCASTS)

    async def open(self, interface: str, port: int) -> None:
        """Bind; ``interface`` is an address with or without the length of its network, or empty.

        Raises:
            OSError: the port is taken, or the address is not of this machine.

        """
        own = IPv4Interface(interface or ANY)
        try:
            self.local = await self._listen(str(own.ip), port, None)
            number = port or limits.PORT
            if not interface:
                self._broadcast = tuple((host, number) for host in networks())
            elif own.network.prefixlen < HOST_BITS and "/" in interface:
                heard = (str(own.network.broadcast_address), number)
                self._broadcast = (heard,)
                if port:
                    await self._listen(*heard, LocalBroadcast())
        except OSError:
            self.close()
            raise

    @property
    def broadcasts(self) -> bool:
        """Whether broadcasts can be sent."""
        return bool(self._broadcast)

    async def _listen(
        self, host: str, port: int, destination: LocalBroadcast | None
    ) -> tuple[str, int]:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            if destination is not None:  # others may hear the same broadcasts
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.setblocking(False)
            made.bind((host, port))
        except OSError:
            made.close()
            raise
        name: tuple[str, int] = made.getsockname()[:2]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Receiver(self, destination or IPv4Address(name)), sock=made
        )
        self._transports.append(transport)
        return name

    async def indication(self, pdu: PDU) -> None:
        """Send what comes down."""
        destination = pdu.pduDestination
        data = bytes(pdu.pduData)
        if isinstance(destination, LocalBroadcast):
            self._sent.append(data)
            targets = self._broadcast
        elif isinstance(destination, IPv4Address):
            targets = (destination.addrTuple,)
        elif isinstance(destination, LocalStation):
            targets = (IPv4Address(destination).addrTuple,)
        else:
            return
        for target in targets if self._transports else ():
            self._transports[0].sendto(data, target)

    def received(self, data: bytes, source: tuple[str, int], destination: object) -> None:
        """Hand a datagram up, unless it is too long, our own, or one too many."""
        own = source == self.local or (source[1] == self.local[1] and data in self._sent)
        if own:
            return
        if len(data) > limits.MAX_DATAGRAM or len(self._tasks) >= MAX_WAITING:
            self.dropped += 1
            return
        pdu = PDU(data, source=IPv4Address(source), destination=destination)
        task = asyncio.create_task(self.response(pdu))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.dropped += 1  # bacpypes3 could not read it: anybody can send anything

    def close(self) -> None:
        """Close; closing twice is fine."""
        for task in self._tasks:
            task.cancel()
        for transport in self._transports:
            transport.close()
        self._transports.clear()


def networks() -> list[str]:
    """List the broadcast addresses of this machine's interfaces; Linux only, else of everybody.

    Many devices do not hear 255.255.255.255: Annex J.2 wants the address of their own network.
    """
    found: dict[str, None] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                (flags,) = struct.unpack_from("H", fcntl.ioctl(asking, SIOCGIFFLAGS, request), 16)
                if flags & UP_AND_BROADCAST == UP_AND_BROADCAST:
                    answer = fcntl.ioctl(asking, SIOCGIFBRDADDR, request)
                    found[socket.inet_ntoa(answer[20:24])] = None
            except OSError:  # an interface without an address
                continue
    return list(found) or [EVERYBODY]


class _Receiver(asyncio.DatagramProtocol):
    """One socket."""

    def __init__(self, server: Datagrams, destination: object) -> None:
        self._server = server
        self._destination = destination

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass it on."""
        self._server.received(data, addr, self._destination)

    def error_received(self, exc: Exception) -> None:
        """Leave it to the time-out of whoever waits for an answer."""
