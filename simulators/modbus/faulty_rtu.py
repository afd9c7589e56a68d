"""The device of :mod:`simulators.modbus.faults` on a serial line, or behind a converter to TCP.

device = FaultyDevice(registers={0: 1, 1: 2})
async with serve_faulty_rtu(device) as port:      # a path
    device.faults[1] = HalfFrame()
"""

import asyncio
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from simulators.modbus.faults import Fault, FaultyDevice
from simulators.modbus.wire import Terminal

CRC_BYTES = 2
FIXED_BYTES = 8
"""Unit, function, address, value or count, CRC."""
LISTED = {15, 16}
"""Functions whose request goes on with a count of bytes."""
IDENTIFY, IDENTIFY_BYTES = 43, 7


class LineFault(Fault):
    """What happens to an answer on an RTU line."""

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Give what is sent in the place of a sound answer, each piece after a wait in seconds."""
        _ = request
        return [(0.0, sound)]


class Mute(LineFault):
    """The unit does not answer."""

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Send nothing."""
        _ = sound, request
        return []


@dataclass(frozen=True)
class Late(LineFault):
    """The answer comes late."""

    seconds: float

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Wait, then send."""
        _ = request
        return [(self.seconds, sound)]


class HalfFrame(LineFault):
    """The answer stops in the middle."""

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Cut it."""
        _ = request
        return [(0.0, sound[: len(sound) // 2])]


@dataclass(frozen=True)
class InPieces(LineFault):
    """The answer comes in pieces."""

    pause_s: float = 0.01

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Part it."""
        _ = request
        return [(0.0, sound[:2]), (self.pause_s, sound[2:5]), (self.pause_s, sound[5:])]


@dataclass(frozen=True)
class Noise(LineFault):
    """Bytes that nobody sent stand before the answer, or in its place."""

    before: bytes = b"\x00\xff"
    answered: bool = True

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Put them before it."""
        _ = request
        return [(0.0, self.before + (sound if self.answered else b""))]


class Flipped(LineFault):
    """One bit of the answer arrives wrong."""

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Flip a bit of the data."""
        _ = request
        wrong = bytearray(sound)
        wrong[-3] ^= 0x10
        return [(0.0, bytes(wrong))]


class Echo(LineFault):
    """The adapter hears what was sent, before the answer."""

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Repeat the request first."""
        return [(0.0, request + sound)]


@dataclass(frozen=True)
class OtherUnit(LineFault):
    """Another unit answers: first of all, or alone."""

    unit: int = 200
    alone: bool = True

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Send it in another name."""
        _ = request
        other = sealed(bytes([self.unit]) + sound[1:-CRC_BYTES])
        return [(0.0, other)] if self.alone else [(0.0, other + sound)]


@dataclass(frozen=True)
class TooShort(LineFault):
    """Fewer registers than asked for, in a sound frame."""

    registers: int = 1

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Cut it and seal it again."""
        _ = request
        data = sound[3 : -CRC_BYTES - 2 * self.registers]
        return [(0.0, sealed(sound[:2] + bytes([len(data)]) + data))]


@dataclass(frozen=True)
class Refusal(LineFault):
    """The unit answers with an exception code."""

    code: int

    def spoil(self, sound: bytes, request: bytes) -> list[tuple[float, bytes]]:
        """Send the exception."""
        _ = sound
        return [(0.0, sealed(bytes([request[0], request[1] | 0x80, self.code])))]


def checksum(data: bytes) -> bytes:
    """CRC-16 of RTU, low byte first (serial 2.5.1.2); bit by bit, apart from the driver's table."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def sealed(data: bytes) -> bytes:
    """Put the checksum behind a frame."""
    return data + checksum(data)


def request_bytes(data: bytes) -> int:
    """Tell how long the request is that begins here; 0 as long as that is open."""
    if len(data) < FIXED_BYTES - 1:
        return 0
    if data[1] in LISTED:
        return FIXED_BYTES + 1 + data[6]
    return IDENTIFY_BYTES if data[1] == IDENTIFY else FIXED_BYTES


class Station:
    """Takes bytes of one line and sends answers, spoiled as the device's faults say."""

    def __init__(self, device: FaultyDevice, send: Callable[[bytes], None]) -> None:
        self._device = device
        self._send = send
        self._buffer = b""
        self._in_order: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        """A unit does one thing after the other."""
        self.tasks: set[asyncio.Task[None]] = set()

    def take(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data
        length = request_bytes(self._buffer)
        if not length or len(self._buffer) < length:
            return
        request, self._buffer = self._buffer[:length], b""
        if checksum(request[:-CRC_BYTES]) == request[-CRC_BYTES:]:
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        unit = request[0]
        pdu = self._device.answer(unit, request[1:-CRC_BYTES])
        fault = self._device.next_fault(unit)
        if unit not in self._device.units:
            return  # a serial line has no gateway that would say so
        sound = sealed(bytes([unit]) + pdu)
        spoil = fault.spoil if isinstance(fault, LineFault) else LineFault().spoil
        task = asyncio.create_task(self._say(unit, spoil(sound, request)))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _say(self, unit: int, pieces: list[tuple[float, bytes]]) -> None:
        async with self._in_order[unit]:
            for wait_s, piece in pieces:
                await asyncio.sleep(wait_s)
                self._send(piece)

    async def stop(self) -> None:
        """Say no more."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@asynccontextmanager
async def serve_faulty_rtu(device: FaultyDevice) -> AsyncIterator[str]:
    """Serve a device on a pseudo terminal; gives the path of the port."""
    terminal = Terminal()
    station = Station(device, terminal.send)
    terminal.listen(station.take)
    try:
        yield terminal.path
    finally:
        await station.stop()
        terminal.close()


@asynccontextmanager
async def serve_faulty_converter(
    device: FaultyDevice, *, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """Serve a device by RTU over TCP, as converters do that hand everything through."""
    open_: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        device.connections += 1
        open_.add(writer)
        station = Station(device, writer.write)
        while data := await reader.read(1024):
            station.take(data)
        await station.stop()
        open_.discard(writer)
        writer.close()

    server = await asyncio.start_server(talk, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(open_):
            writer.close()
        await server.wait_closed()
