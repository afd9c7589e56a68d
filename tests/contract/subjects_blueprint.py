"""The driver of docs/writing-a-driver.md: what the document says must pass the contract."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from subject import Subject
from subjects_modbus import Place

DRIVERS = Path(__file__).parents[2] / "examples" / "drivers"
POINTS = [
    {"name": "weight", "command": "SI", "unit": "g"},
    {"name": "tare", "command": "TA", "unit": "g", "access": "read_write"},
    {"name": "serial", "command": "I4", "kind": "text"},
    {"name": "absent", "command": "ZZZ"},
]
VALUES = {"weight": 100.0, "tare": 5.0, "serial": "B123456789"}


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[Subject]:
    """A simulated balance."""
    if str(DRIVERS) not in sys.path:
        sys.path.insert(0, str(DRIVERS))
    from sics import driver  # noqa: PLC0415 - the path is set above
    from sics_simulator import SimulatedBalance, serve  # noqa: PLC0415

    balance = SimulatedBalance()
    place = Place(lambda port: serve(balance, port))
    await place.restore()
    settings = driver.settings(name="scale", host="127.0.0.1", port=place.port, points=POINTS)
    try:
        yield Subject(driver, settings, VALUES, "absent", place.lose, place.restore, ("tare", 7.5))
    finally:
        await place.lose()
