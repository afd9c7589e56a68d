"""Packets of MQTT 3.1.1, as far as a simulated device and a small broker need them; no library.

Section numbers are those of the OASIS standard.
"""

import asyncio
import struct
from enum import IntEnum
from typing import NamedTuple

MAX_PACKET = 8 << 20
PROTOCOL = b"\x00\x04MQTT\x04"
"""Name and level of 3.1.1 (3.1.2)."""
MORE = 0x80
REFUSED = 0x80
RETAIN, DUPLICATE = 0x01, 0x08


class WireError(ValueError):
    """The bytes are no MQTT 3.1.1."""


class Type(IntEnum):
    """Types of packets (2.2.1)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Packet(NamedTuple):
    """A packet before its body is read."""

    type: int
    flags: int
    body: bytes


class Publish(NamedTuple):
    """An application message (3.3)."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    packet_id: int = 0


class Connect(NamedTuple):
    """What a client says first (3.1)."""

    client_id: str
    keepalive_s: int
    clean: bool
    will: Publish | None
    username: str | None
    password: bytes | None


async def read_packet(reader: asyncio.StreamReader) -> Packet:
    """Read one packet.

    Raises:
        WireError: it is longer than allowed, or its length is none.
        asyncio.IncompleteReadError: the connection ended.

    """
    first = (await reader.readexactly(1))[0]
    length = 0
    for place in range(4):
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << (7 * place)
        if not byte & MORE:
            break
    else:
        msg = "a length of more than four bytes"
        raise WireError(msg)
    if length > MAX_PACKET:
        msg = f"a packet of {length} bytes"
        raise WireError(msg)
    return Packet(first >> 4, first & 0x0F, await reader.readexactly(length))


def packet(kind: Type, body: bytes = b"", flags: int = 0) -> bytes:
    """Write a packet."""
    length, left = bytearray(), len(body)
    while True:
        left, byte = left >> 7, left & 0x7F
        length.append(byte | MORE if left else byte)
        if not left:
            return bytes([kind << 4 | flags]) + bytes(length) + body


def _text(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


class Body:
    """Reads the fields of a body one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, count: int) -> bytes:
        """Take bytes.

        Raises:
            WireError: there are not so many.

        """
        end = self._place + count
        if end > len(self._data):
            msg = "a packet that ends too early"
            raise WireError(msg)
        taken, self._place = self._data[self._place : end], end
        return taken

    def number(self, count: int = 2) -> int:
        """Take a number."""
        return int.from_bytes(self.take(count), "big")

    def data(self) -> bytes:
        """Take bytes after their length."""
        return self.take(self.number())

    def text(self) -> str:
        """Take a text after its length."""
        try:
            return self.data().decode()
        except UnicodeDecodeError as exc:
            msg = "a text that is no UTF-8"
            raise WireError(msg) from exc

    def rest(self) -> bytes:
        """Take what is left."""
        return self.take(len(self._data) - self._place)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return self._place == len(self._data)


# --- writing ------------------------------------------------------------------------------------


def connect(client_id: str, *, keepalive_s: int = 30, will: Publish | None = None) -> bytes:
    """Write a CONNECT with a clean session."""
    flags, payload = 0x02, _text(client_id)
    if will is not None:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += _text(will.topic) + _text(will.payload)
    return packet(Type.CONNECT, PROTOCOL + struct.pack(">BH", flags, keepalive_s) + payload)


def publish(message: Publish, *, duplicate: bool = False) -> bytes:
    """Write a PUBLISH."""
    flags = message.qos << 1 | (RETAIN if message.retain else 0) | (DUPLICATE if duplicate else 0)
    number = struct.pack(">H", message.packet_id) if message.qos else b""
    return packet(Type.PUBLISH, _text(message.topic) + number + message.payload, flags)


def subscribe(filters: list[str], packet_id: int = 1) -> bytes:
    """Write a SUBSCRIBE for QoS 1."""
    body = struct.pack(">H", packet_id) + b"".join(_text(text) + b"\x01" for text in filters)
    return packet(Type.SUBSCRIBE, body, 0x02)


# --- reading ------------------------------------------------------------------------------------


def parse_publish(found: Packet) -> Publish:
    """Read a PUBLISH.

    Raises:
        WireError: it is none.

    """
    body = Body(found.body)
    qos = found.flags >> 1 & 0x03
    topic = body.text()
    if qos > 1 or not topic or "+" in topic or "#" in topic:
        msg = f"a publish with QoS {qos} to '{topic[:40]}'"
        raise WireError(msg)
    number = body.number() if qos else 0
    return Publish(topic, body.rest(), qos, bool(found.flags & RETAIN), number)


def parse_connect(found: Packet) -> Connect:
    """Read a CONNECT.

    Raises:
        WireError: it is none, or of another version.

    """
    body = Body(found.body)
    if found.type != Type.CONNECT or body.take(len(PROTOCOL)) != PROTOCOL:
        msg = "no CONNECT of MQTT 3.1.1"
        raise WireError(msg)
    flags, keepalive_s = body.number(1), body.number()
    client_id = body.text()
    will = None
    if flags & 0x04:
        will = Publish(body.text(), body.data(), min(flags >> 3 & 0x03, 1), bool(flags & 0x20))
    username = body.text() if flags & 0x80 else None
    password = body.data() if flags & 0x40 else None
    return Connect(client_id, keepalive_s, bool(flags & 0x02), will, username, password)


def parse_filters(found: Packet) -> tuple[int, list[tuple[str, int]]]:
    """Read SUBSCRIBE or UNSUBSCRIBE: the packet's number, and filters with the QoS asked for.

    Raises:
        WireError: it is none.

    """
    body = Body(found.body)
    number = body.number()
    filters = []
    while not body.is_empty:
        text = body.text()
        filters.append((text, body.number(1) if found.type == Type.SUBSCRIBE else 0))
    return number, filters
