"""Modbus TCP: reads and writes the registers, coils and discrete inputs of a device.

Addresses are those of the protocol, counted from 0 in each of four tables; there are no 4xxxx
references. Points are read with the fewest requests that the device allows
(:mod:`components.modbus.plan`), decoded in bulk (:mod:`components.modbus.decode`), over a line that
all units behind one address share (:mod:`components.modbus.connection`).

Source: MODBUS Application Protocol V1.1b3 and MODBUS Messaging on TCP/IP V1.0b (modbus.org).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from components.modbus.connection import Connection, shared_connection
from components.modbus.decode import bad
from components.modbus.errors import UnitSilentError
from components.modbus.frames import checked
from components.modbus.learned import RETRY_S, Learned
from components.modbus.plan import Request, describe, plan_requests
from components.modbus.reading import Pass, Prepared, prepare
from components.modbus.settings import Settings
from components.modbus.writing import check_echo, write_request
from edge_runtime.driver import Driver
from edge_runtime.model import Quality, Reading, Reason, Value

MAX_PLANS = 64
"""Due sets whose plans are kept; points with own intervals make a few."""


class _Plan(NamedTuple):
    requests: list[Prepared]
    refused: list[Reading]
    """Of points that the device is known to refuse."""


class ModbusDevice:
    """One unit of a line."""

    def __init__(self, settings: Settings, line: Connection) -> None:
        self._settings = settings
        self._line = line
        self._points = {point.name: point for point in settings.points}
        self._learned = Learned(settings.unreadable)
        self._plans: dict[frozenset[str], _Plan] = {}
        self._plans_version = 0
        self._silent: frozenset[Request] = frozenset()
        self._was_good = False

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Read these points.

        A point that the device refuses is bad, with the exception's code as the reason.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused everything, and has never given one good value.

        """
        self._line.check_silence(self._settings.unit)
        plan = self._plan_for(frozenset(points))
        pass_ = Pass(self._line, self._settings, self._learned)
        requests = plan.requests
        if self._silent:  # what was not answered last time must not keep the rest from being read
            requests = sorted(requests, key=lambda prepared: prepared.request in self._silent)
        try:
            readings = await pass_.read(requests)
        except UnitSilentError:
            self._line.note_silence(self._settings.unit, self._settings.timeout_s)
            raise
        finally:
            self._silent = frozenset(pass_.silent)
        self._line.note_answer(self._settings.unit)
        self._was_good = self._was_good or any(r.quality is Quality.GOOD for r in readings)
        if pass_.refusal is not None and not self._was_good:
            self._learned.forget(before=float("inf"))
            raise pass_.refusal
        return [*readings, *plan.refused] if plan.refused else readings

    async def write(self, point: str, value: Value) -> None:
        """Write one raw value and check the device's confirmation.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused, or the point cannot be written, or not with this value.

        """
        request = write_request(self._settings, self._points[point], value)
        where = f"{self._settings.at}: write '{point}'"
        answer = await self._line.exchange(request, self._settings.timeout_s)
        check_echo(request, checked(answer, request.function_code, where), where)

    def _plan_for(self, names: frozenset[str]) -> _Plan:
        self._learned.forget(before=asyncio.get_running_loop().time() - RETRY_S)
        if self._plans_version != self._learned.version or len(self._plans) > MAX_PLANS:
            self._plans.clear()
            self._plans_version = self._learned.version
        if names not in self._plans:
            self._plans[names] = self._make_plan(names)
        return self._plans[names]

    def _make_plan(self, names: Collection[str]) -> _Plan:
        points, refused = [], []
        for name in names:
            point = self._points[name]
            detail = self._learned.refusal_of(point)
            if detail is None:
                points.append(point)
            else:
                refused += bad([name], f"{Reason.DEVICE_ERROR}:{detail}")
        requests = plan_requests(self._settings, points, self._learned.holes)
        return _Plan([prepare(request, self._settings) for request in requests], refused)


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[ModbusDevice]:
    """Open a device. Nothing is sent yet: the connection opens with the first read."""
    async with shared_connection(settings.host, settings.port, settings.unit) as line:
        yield ModbusDevice(settings, line)


def address(settings: Settings) -> str:
    """Give where the device is, for people."""
    return settings.at


def connection(settings: Settings) -> str:
    """Give the key of the line that the device shares with others."""
    return f"modbus {settings.host}:{settings.port}"


driver = Driver(
    protocol="modbus",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
)
