"""A Modbus TCP device that misbehaves on demand.

It speaks the protocol by itself, in about a hundred lines, because no library's server can be
brought to answer too short, for another unit, or not at all.

    device = FaultyDevice(registers={0: 1, 1: 2})
    async with serve_faulty(device) as port:
        device.faults[1] = Silence()
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEADER = struct.Struct(">HHHB")
REQUEST = struct.Struct(">BHH")
READ_BITS = (1, 2)
READ_REGISTERS = (3, 4)
WRITES = (5, 6, 16)
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
IDENTIFY = bytes([43, 14])
MAX_FRAME_BYTES = 260
COIL_ON = 0xFF00


class Fault:
    """What a unit does in the place of its answer. The base class changes nothing."""

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes | None:
        """Give the bytes to send; None hangs up."""
        return frame(transaction, unit, pdu)


class Silence(Fault):
    """Never answers."""

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Send nothing."""
        _ = transaction, unit, pdu
        return b""


class HangUp(Fault):
    """Closes the connection."""

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> None:
        """Close."""
        _ = transaction, unit, pdu


@dataclass(frozen=True)
class Slow(Fault):
    """Answers late."""

    seconds: float

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Wait, then answer."""
        await asyncio.sleep(self.seconds)
        return frame(transaction, unit, pdu)


@dataclass(frozen=True)
class Refuse(Fault):
    """Answers with an exception code."""

    code: int

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Send the exception."""
        return frame(transaction, unit, bytes([pdu[0] | 0x80, self.code]))


@dataclass(frozen=True)
class Short(Fault):
    """Gives fewer registers than asked for, in a frame that is well formed."""

    registers: int = 1

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Cut the answer."""
        data = pdu[2 : -2 * self.registers]
        return frame(transaction, unit, bytes([pdu[0], len(data)]) + data)


class WrongUnit(Fault):
    """Answers in the name of another unit."""

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Send it as the next unit."""
        return frame(transaction, (unit + 1) % 256, pdu)


class WrongTransaction(Fault):
    """Answers another transaction."""

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Send it with the next number."""
        return frame((transaction + 1) % 65_536, unit, pdu)


class WrongFunction(Fault):
    """Answers another function."""

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Send input registers for holding registers and the reverse."""
        return frame(transaction, unit, bytes([7 - pdu[0]]) + pdu[1:])


@dataclass(frozen=True)
class Garbage(Fault):
    """Sends bytes that are not Modbus."""

    data: bytes = b"HTTP/1.1 400 Bad Request\r\n\r\n"

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Send them."""
        _ = transaction, unit, pdu
        return self.data


class Half(Fault):
    """Sends the first half of the answer and stops."""

    async def apply(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """Cut the frame."""
        whole = frame(transaction, unit, pdu)
        return whole[: len(whole) // 2]


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Put the MBAP header before a PDU."""
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived."""

    unit: int
    function: int
    address: int
    count: int


@dataclass
class FaultyDevice:
    """What is behind the port. Registers serve as holding and input registers alike."""

    registers: MutableMapping[int, int] = field(default_factory=dict)
    coils: MutableMapping[int, bool] = field(default_factory=dict)
    """Coils and discrete inputs alike. An address that is in neither answers exception 2."""
    units: Iterable[int] = range(256)
    """Others are not there: exception 0x0B."""
    max_count: int = 125
    """More registers in one request answer exception 3."""
    counter: int | None = None
    """Address of a uint32 (high register first) that grows by one with each read that holds it."""
    identity: tuple[str, ...] = ()
    """Vendor, product code, revision, for function 43; without it exception 1."""
    faults: dict[int, Fault] = field(default_factory=dict)
    """By unit; changed while it serves."""
    once: list[Fault] = field(default_factory=list)
    """Faults for the next requests, one each, whatever the unit."""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def answer(self, unit: int, pdu: bytes) -> bytes:
        """Give the PDU that answers this one."""
        if pdu[:2] == IDENTIFY:
            return self._identify(unit, pdu)
        function, address, count = REQUEST.unpack_from(pdu)
        self.asked.append(Asked(unit, function, address, count))
        if unit not in self.units:
            return bytes([function | 0x80, 0x0B])
        try:
            return bytes([function]) + self._do(function, address, count, pdu)
        except KeyError:
            return bytes([function | 0x80, ILLEGAL_ADDRESS])
        except ValueError as exc:
            return bytes([function | 0x80, int(str(exc))])

    def next_fault(self, unit: int) -> Fault:
        """Give the fault that befalls this answer."""
        return self.once.pop(0) if self.once else self.faults.get(unit, Fault())

    def _do(self, function: int, address: int, count: int, pdu: bytes) -> bytes:
        span = range(address, address + count)
        if function in READ_REGISTERS:
            if count > self.max_count:
                raise ValueError(ILLEGAL_VALUE)
            self._count(span)
            words = struct.pack(f">{count}H", *(self.registers[a] for a in span))
            return bytes([len(words)]) + words
        if function in READ_BITS:
            bits = sum(self.coils[a] << i for i, a in enumerate(span))
            size = (count + 7) // 8
            return bytes([size]) + bits.to_bytes(size, "little")
        if function in WRITES:
            self._write(function, address, count, pdu)
            return pdu[1:5]
        raise ValueError(ILLEGAL_FUNCTION)

    def _identify(self, unit: int, pdu: bytes) -> bytes:
        """Answer function 43 with type 14, basic objects, or exception 1 (application 6.21)."""
        self.asked.append(Asked(unit, pdu[0], pdu[2], 0))
        if not self.identity:
            return bytes([pdu[0] | 0x80, ILLEGAL_FUNCTION])
        objects = b"".join(
            bytes([i, len(text)]) + text.encode() for i, text in enumerate(self.identity)
        )
        return IDENTIFY + bytes([1, 1, 0, 0, len(self.identity)]) + objects

    def _count(self, span: range) -> None:
        if self.counter is not None and self.counter in span:
            high, low = self.counter, self.counter + 1
            number = (self.registers.get(high, 0) << 16 | self.registers.get(low, 0)) + 1
            self.registers[high], self.registers[low] = number >> 16 & 0xFFFF, number & 0xFFFF

    def _write(self, function: int, address: int, value: int, pdu: bytes) -> None:
        if function == WRITES[0]:
            _ = self.coils[address]
            self.coils[address] = value == COIL_ON
            return
        words = [value] if function == WRITES[1] else struct.unpack(f">{value}H", pdu[6:])
        for place, word in enumerate(words, start=address):
            _ = self.registers[place]
            self.registers[place] = word


@asynccontextmanager
async def serve_faulty(
    device: FaultyDevice, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """Serve a device; gives the port. Leaving hangs up on everybody."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        device.connections += 1
        try:
            await _talk(device, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other side left, or we do
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, host, port)
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
    device: FaultyDevice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while True:
        transaction, _, length, unit = HEADER.unpack(await reader.readexactly(HEADER.size))
        if length > MAX_FRAME_BYTES:
            return
        answer = device.answer(unit, await reader.readexactly(length - 1))
        fault = device.next_fault(unit)
        data = await fault.apply(transaction, unit, answer)
        if data is None:
            return
        writer.write(data)
        await writer.drain()
