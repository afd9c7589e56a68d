"""MT-SICS: reads weights from a balance over TCP, and sets its tare.

One line of ASCII a request, one an answer: ``SI`` → ``S S     100.00 g``. A balance has no
addresses; a point is the command that gives its value.

Source: Mettler Toledo, "Reference Manual MT-SICS Interface Commands", levels 0 and 1.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from pydantic import Field

from edge_runtime import model
from edge_runtime.driver import DeviceSettings, Driver, RequestPlan
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality, Reading, Reason, Value

PORT = 4305
MAX_LINE = 128
"""Bytes of an answer; the longest of level 1 has 26."""
ANSWER_S = 0.05
"""What a balance takes to answer, for the plan."""
HINT = (
    "Is the balance on, and its interface set to MT-SICS? One program at a time may be connected."
)
REFUSALS = {
    "I": "busy",
    "+": "overload",
    "-": "underload",
    "L": "parameter",
    "ES": "unknown_command",
    "ET": "transmission",
    "EL": "logical",
}
"""What stands in the place of a value (chapter 2.1.3), as the reason says it."""


class Command(StrEnum):
    """What a point asks for."""

    WEIGHT = "SI"
    """The weight now, settled or not."""
    TARE = "TA"
    SERIAL = "I4"
    """Serial number, a text."""
    SCREWED = "ZZZ"
    """No balance knows it; the contract test wants a point that is refused."""


class Point(model.Point):
    """One value of a balance."""

    command: Command


class Settings(DeviceSettings):
    """One balance."""

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=PORT, ge=1, le=65_535)
    points: tuple[Point, ...] = Field(min_length=1)


class Balance:
    """An open balance; connects with the first request."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._commands = {point.name: point.command for point in settings.points}
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Ask for every point."""
        return [decode(name, await self._ask(self._commands[name])) for name in points]

    async def write(self, point: str, value: Value) -> None:
        """Set the tare."""
        if self._commands[point] is not Command.TARE or isinstance(value, str):
            msg = f"'{point}' cannot be set to {value!r}: only a tare can be set, to a number"
            raise DeviceRefusedError(msg)
        answer = await self._ask(f"TA {float(value):.2f} g")
        reading = decode(point, answer)
        if reading.quality is Quality.BAD:
            msg = f"{self._settings.host} did not set the tare: {answer!r}"
            raise DeviceRefusedError(msg)

    async def _ask(self, request: str) -> str:
        """Send a line and give the line that answers it."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                reader, writer = await self._connected()
                writer.write(f"{request}\r\n".encode("ascii"))
                answer = await reader.readuntil(b"\n")
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError) as exc:
            self.close()
            where = f"{self._settings.host}:{self._settings.port}"
            raise DeviceUnreachableError(f"{where} does not answer: {exc!r}", hint=HINT) from exc
        return answer.decode("ascii", errors="replace").strip()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._settings.host, self._settings.port, limit=MAX_LINE
            )
        return self._streams

    def close(self) -> None:
        """Close; closing twice is fine."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def decode(point: str, answer: str) -> Reading:
    """Turn an answer into a reading; pure.

    ``S S     100.00 g`` is a settled weight, ``S D`` one that still moves (uncertain), ``I4 A "…"``
    a text; a refusal is a bad reading with its reason.
    """
    words = answer.split(maxsplit=2)
    if len(words) < 3:  # noqa: PLR2004 - command, state, value
        detail = REFUSALS.get(words[-1] if words else "", "answer")
        return Reading(point, None, Quality.BAD, f"{Reason.DEVICE_ERROR}:{detail}")
    _, state, value = words
    if value.startswith('"'):
        return Reading(point, value.strip('"'))
    try:
        number = float(value.split()[0])
    except ValueError:
        return Reading(point, None, Quality.BAD, f"{Reason.DEVICE_ERROR}:answer")
    return (
        Reading(point, number, Quality.UNCERTAIN, "moving")
        if state == "D"
        else Reading(point, number)
    )


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[Balance]:
    """Open a balance. Nothing is sent yet."""
    balance = Balance(settings)
    try:
        yield balance
    finally:
        balance.close()


def plan(settings: Settings, points: Collection[str]) -> Sequence[RequestPlan]:
    """One request a point."""
    commands = {point.name: point.command for point in settings.points}
    return [
        RequestPlan(commands[name].value, (name,), len(commands[name]) + 2, 26, ANSWER_S)
        for name in points
    ]


def address(settings: Any) -> str:
    """Where the balance is, for people and as the key of its line."""
    return f"{settings.host}:{settings.port}"


driver = Driver(
    protocol="sics",
    settings=Settings,
    open_device=open_device,
    plan=plan,
    address=address,
    connection=address,
)
