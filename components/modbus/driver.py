"""Modbus TCP and RTU: reads and writes the registers, coils and discrete inputs of a device.

Addresses are those of the protocol, counted from 0 in each of four tables; there are no 4xxxx
references. Points are read with the fewest requests that the device allows
(:mod:`components.modbus.plan`), decoded in bulk (:mod:`components.modbus.decode`), over a line that
all units behind one address share (:mod:`components.modbus.line`).

Source: MODBUS Application Protocol V1.1b3 and MODBUS Messaging on TCP/IP V1.0b (modbus.org).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from components.modbus.discover import discover
from components.modbus.errors import UnitSilentError
from components.modbus.frames import checked
from components.modbus.inspecting import inspections
from components.modbus.limits import MAX_WRITE_REGISTERS
from components.modbus.line import Line, shared_line
from components.modbus.line_settings import LineSettings
from components.modbus.memory import recall
from components.modbus.plan import describe, plan_requests, request_over, wait_seconds
from components.modbus.reading import Fetched, Pass, Prepared, prepare
from components.modbus.settings import Point, Settings
from components.modbus.writing import check_echo, write_request
from edge_runtime.driver import Driver, Inspection
from edge_runtime.model import Quality, Reading, Value

MAX_PLANS = 64
"""Due sets whose plans are kept; points with own intervals make a few."""
MAX_WRITE_BYTES = 2 * MAX_WRITE_REGISTERS


class _Plan(NamedTuple):
    requests: list[Prepared]
    refused: list[Point]
    """Points that the device is known to refuse."""


class ModbusDevice:
    """One unit of a line."""

    def __init__(self, settings: Settings, line: Line) -> None:
        self._settings = settings
        self._line = line
        self._points = {point.name: point for point in settings.points}
        self._memory = recall(settings)
        self._learned = self._memory.learned
        self._plans: dict[frozenset[str], _Plan] = {}
        self._plans_version = 0

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Read these points.

        A point that the device refuses is bad, with the exception's code as the reason.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused everything, and has never given one good value.

        """
        return (await self._read(points))[0]

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Read these points and show the registers that they were made of.

        Raises:
            DeviceError: as :meth:`read`.

        """
        readings, fetched = await self._read(points)
        return inspections(readings, self._points, fetched)

    async def _read(self, points: Collection[str]) -> tuple[list[Reading], list[Fetched]]:
        self._line.check_silence(self._settings.unit)
        plan = self._plan_for(frozenset(points))
        again = self._learned.retry(plan.refused, asyncio.get_running_loop().time())
        requests = [*plan.requests, *self._alone(again)] if again else plan.requests
        readings, fetched = await self._read_all(requests)
        if not plan.refused:
            return readings, fetched
        names = {point.name for point in again}
        if any(_is_good(reading) for reading in readings if reading.point in names):
            self._learned.accept(again)
        readings += [
            Reading(point.name, None, Quality.BAD, self._learned.reason_of(point))
            for point in plan.refused
            if point.name not in names
        ]
        return readings, fetched

    async def _read_all(self, requests: Sequence[Prepared]) -> tuple[list[Reading], list[Fetched]]:
        memory = self._memory
        if memory.silent:  # what was not answered last time must not keep the rest from being read
            requests = sorted(
                requests, key=lambda prepared: prepared.request.start in memory.silent
            )
        pass_ = Pass(self._line, self._settings, self._learned)
        try:
            readings = await pass_.read(requests)
        except UnitSilentError:
            self._line.note_silence(self._settings.unit, self._settings.timeout_s)
            raise
        finally:
            memory.silent = frozenset(pass_.silent)
        self._line.note_answer(self._settings.unit)
        memory.was_good = memory.was_good or any(map(_is_good, readings))
        if pass_.refusal is not None and not memory.was_good:
            raise pass_.refusal
        return readings, pass_.fetched

    async def write(self, point: str, value: Value) -> None:
        """Write one raw value and check the device's confirmation.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused, or the point cannot be written, or not with this value.

        """
        request = write_request(self._settings, self._points[point], value)
        where = f"{self._settings.at}: write '{point}'"
        wait_s = wait_seconds(self._settings, MAX_WRITE_BYTES)
        answer = await self._line.exchange(request, wait_s)
        check_echo(request, checked(answer, request.function_code, where), where)

    def _plan_for(self, names: frozenset[str]) -> _Plan:
        if self._plans_version != self._learned.version or len(self._plans) > MAX_PLANS:
            self._plans.clear()
            self._plans_version = self._learned.version
        if names not in self._plans:
            self._plans[names] = self._make_plan([self._points[name] for name in names])
        return self._plans[names]

    def _make_plan(self, points: Sequence[Point]) -> _Plan:
        refused = [point for point in points if self._learned.reason_of(point)]
        wanted = [point for point in points if not self._learned.reason_of(point)]
        requests = plan_requests(self._settings, wanted, self._learned.holes)
        return _Plan([prepare(request, self._settings) for request in requests], refused)

    def _alone(self, points: Sequence[Point]) -> list[Prepared]:
        request = request_over(self._settings.unit, points[0].table, points)
        return [prepare(request, self._settings)]


def _is_good(reading: Reading) -> bool:
    return reading.quality is Quality.GOOD


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[ModbusDevice]:
    """Open a device. Nothing is sent yet: the connection opens with the first read."""
    async with shared_line(settings.place, settings.unit) as line:
        yield ModbusDevice(settings, line)


def address(settings: LineSettings) -> str:
    """Give where the device is, for people."""
    return settings.at


def connection(settings: LineSettings) -> str:
    """Give the key of the line that the device shares with others."""
    return f"modbus {settings.place.name}"


driver = Driver(
    protocol="modbus",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
    discover=discover,
)
