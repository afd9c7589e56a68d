"""Modbus devices for the driver contract: ours, and one by people who never saw our code."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from subject import Subject

from components.modbus.driver import driver
from simulators.modbus.image import Image, put, put_text
from simulators.modbus.server import serve, serve_serial
from simulators.modbus.wire import cable
from tests.bench.peers.build import PeerMissingError, build_peer, run_rtu_server, run_server

TIMEOUT_S = 2.0
SERIAL_TIMEOUT_S = 0.5
"""Nobody hangs up on a serial line: every loss costs this."""


class Steady:
    """A device whose values stay, and can be written."""

    def __init__(self) -> None:
        self._image = Image(coils={0: True, 1: False}, discretes={3: True})
        put(self._image.holding, 0, "uint16", 11)
        put(self._image.holding, 1, "int16", -7)
        put(self._image.holding, 2, "float32", 1.5, "CDAB")
        put(self._image.holding, 4, "uint64", 1 << 40)
        put_text(self._image.holding, 8, "SN-4711", 4)
        put(self._image.inputs, 0, "int32", -70_000, "BADC")

    def advance(self, t, dt, of_day):
        pass

    def image(self) -> Image:
        return self._image

    def write(self, address, words):
        self._image.holding.update(enumerate(words, start=address))


STEADY_POINTS = [
    {"name": "word", "address": 0},
    {"name": "small", "address": 1, "type": "int16"},
    {"name": "real", "address": 2, "type": "float32", "word_order": "CDAB"},
    {"name": "large", "address": 4, "type": "uint64"},
    {"name": "text", "kind": "text", "address": 8, "type": "string", "length": 4},
    {"name": "input", "table": "input", "address": 0, "type": "int32", "word_order": "BADC"},
    {"name": "coil", "kind": "boolean", "table": "coil", "address": 1},
    {"name": "discrete", "kind": "boolean", "table": "discrete", "address": 3},
    {"name": "absent", "address": 12},
]
STEADY_VALUES = {
    "word": 11, "small": -7, "real": 1.5, "large": 1 << 40, "text": "SN-4711", "input": -70_000,
    "coil": False, "discrete": True,
}  # fmt: skip

PEER_POINTS = [
    {"name": "word", "address": 40},
    {"name": "pair", "address": 41, "type": "uint32"},
    {"name": "swapped", "address": 41, "type": "uint32", "word_order": "CDAB"},
    {"name": "input", "table": "input", "address": 9_999},
    {"name": "coil", "kind": "boolean", "table": "coil", "address": 3},
    {"name": "discrete", "kind": "boolean", "table": "discrete", "address": 4},
    {"name": "absent", "address": 10_000},
]
PEER_VALUES = {
    "word": 40, "pair": 41 << 16 | 42, "swapped": 42 << 16 | 41, "input": 9_999, "coil": True,
    "discrete": False,
}  # fmt: skip


class Place:
    """Where a server can go and come back on the same port; ``start`` takes the port."""

    def __init__(self, start: Callable[[int], AbstractAsyncContextManager[int]]) -> None:
        self._start = start
        self._stack = AsyncExitStack()
        self.port = 0

    async def restore(self) -> None:
        self.port = await self._stack.enter_async_context(self._start(self.port))

    async def lose(self) -> None:
        await self._stack.aclose()


def peer(name: str, folder: Path) -> Path:
    """Build a program in C, or skip."""
    try:
        return build_peer(name, folder)
    except PeerMissingError as exc:
        pytest.skip(f"needs {exc} (Debian: gcc pkg-config libmodbus-dev; `make packages`)")


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator, which is pymodbus's server."""
    place = Place(lambda port: serve({7: Steady()}, port=port))
    async with _subject(place, STEADY_POINTS, STEADY_VALUES, ("real", -2.25)) as subject:
        yield subject


@asynccontextmanager
async def libmodbus(folder: Path) -> AsyncIterator[Subject]:
    """A server in C on libmodbus."""
    program = peer("modbus_server", folder)
    place = Place(lambda port: run_server(program, port=port))
    async with _subject(place, PEER_POINTS, PEER_VALUES, ("pair", 7 << 16)) as subject:
        yield subject


@asynccontextmanager
async def rtu_pty(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator on a serial line."""
    async with cable() as (ours, theirs):
        place = Place(lambda _: serve_serial({7: Steady()}, theirs))
        serial = {"port": ours, "parity": "none"}
        line = {"serial": serial, "timeout_s": SERIAL_TIMEOUT_S}
        async with _subject(place, STEADY_POINTS, STEADY_VALUES, ("real", -2.25), line) as subject:
            yield subject


@asynccontextmanager
async def rtu_libmodbus(folder: Path) -> AsyncIterator[Subject]:
    """A server in C on libmodbus, on a serial line."""
    program = peer("modbus_rtu_server", folder)
    async with cable() as (ours, theirs):
        place = Place(lambda _: run_rtu_server(program, theirs, unit=7))
        serial = {"port": ours, "parity": "none", "baudrate": 115_200}
        line = {"serial": serial, "timeout_s": SERIAL_TIMEOUT_S}
        async with _subject(place, PEER_POINTS, PEER_VALUES, ("pair", 7 << 16), line) as subject:
            yield subject


@asynccontextmanager
async def rtu_over_tcp(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator as a converter that hands RTU through."""
    place = Place(lambda port: serve({7: Steady()}, port=port, rtu=True))
    line = {"framing": "rtu"}
    async with _subject(place, STEADY_POINTS, STEADY_VALUES, ("real", -2.25), line) as subject:
        yield subject


@asynccontextmanager
async def _subject(place, points, values, write, line=None) -> AsyncIterator[Subject]:
    await place.restore()
    fields = {"timeout_s": TIMEOUT_S, **(line or {})}
    if "serial" not in fields:
        fields |= {"host": "127.0.0.1", "port": place.port}
    settings = driver.settings(name="device", unit=7, points=points, **fields)
    try:
        yield Subject(driver, settings, values, "absent", place.lose, place.restore, write)
    finally:
        await place.lose()
