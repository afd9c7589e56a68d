"""SunSpec devices for the driver contract: our simulator's server, and libmodbus with an image."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from subject import Subject
from subjects_modbus import SERIAL_TIMEOUT_S, TIMEOUT_S, Place, peer

from components.sunspec.driver import driver
from simulators.modbus.image import Image
from simulators.modbus.server import serve
from simulators.modbus.wire import cable
from simulators.sunspec.book import Book
from tests.bench.peers.build import run_rtu_server

BASE = 40_000
REGISTERS = 41_000

POINTS = [
    {"name": "serial", "model": 1, "field": "SN"},
    {"name": "power", "model": 103, "field": "W"},
    {"name": "energy", "model": 103, "field": "WH"},
    {"name": "state", "model": 103, "field": "St"},
    {"name": "events", "model": 103, "field": "Evt1"},
    {"name": "limit", "model": 123, "field": "WMaxLimPct"},
    {"name": "string_1", "model": 160, "field": "module.DCV", "index": 1},
    {"name": "string_2", "model": 160, "field": "DCV", "index": 2},
    {"name": "absent", "model": 203, "field": "W"},
]
VALUES = {
    "serial": "INV-4711", "power": -123.4, "energy": 1_500_000, "state": 4, "events": 129,
    "limit": 100.0, "string_1": 560.5, "string_2": 605.0,
}  # fmt: skip


class Steady:
    """A device whose values stay, and can be written."""

    def __init__(self) -> None:
        self._image = Image()
        book = Book(self._image.holding, BASE)
        book.add(1, {"Mn": "Tidegate", "Md": "Steady", "SN": "INV-4711"})
        book.add(103, {"W": -123.4, "W_SF": -1, "WH": 1_500_000, "WH_SF": 2, "St": 4, "Evt1": 129})
        book.add(123, {"WMaxLimPct": 100.0, "WMaxLimPct_SF": -1})
        book.add(160, {"DCV_SF": -1, "N": 2}, [{"ID": 1, "DCV": 560.5}, {"ID": 2, "DCV": 605.0}])
        book.close()

    def advance(self, t, dt, of_day):
        pass

    def image(self) -> Image:
        return self._image

    def write(self, address, words):
        self._image.holding.update(enumerate(words, start=address))


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator's server, which is pymodbus's."""
    place = Place(lambda port: serve({7: Steady()}, port=port))
    async with _subject(place) as subject:
        yield subject


@asynccontextmanager
async def libmodbus(folder: Path) -> AsyncIterator[Subject]:
    """A server in C on libmodbus, on a serial line, loaded with such a device's registers."""
    program = peer("modbus_rtu_server", folder)
    image = folder / "sunspec.image"
    words = Steady().image().holding
    image.write_text("".join(f"{place} {word}\n" for place, word in words.items()))
    async with cable() as (ours, theirs):
        place = Place(
            lambda _: run_rtu_server(program, theirs, unit=7, registers=REGISTERS, image=image)
        )
        serial = {"port": ours, "parity": "none", "baudrate": 115_200}
        line = {"serial": serial, "timeout_s": SERIAL_TIMEOUT_S}
        async with _subject(place, line) as subject:
            yield subject


@asynccontextmanager
async def _subject(place, line=None) -> AsyncIterator[Subject]:
    await place.restore()
    fields = line or {"host": "127.0.0.1", "port": place.port, "timeout_s": TIMEOUT_S}
    settings = driver.settings(name="device", unit=7, points=POINTS, **fields)
    try:
        write = ("limit", 62.5)
        yield Subject(driver, settings, VALUES, "absent", place.lose, place.restore, write)
    finally:
        await place.lose()
