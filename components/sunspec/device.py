"""One SunSpec device: its models are found once, then read as registers."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from components.modbus.asking import read_registers
from components.modbus.driver import ModbusDevice
from components.modbus.errors import UnitSilentError
from components.modbus.line import Line
from components.modbus.memory import recall
from components.modbus.plan import plan_requests
from components.sunspec.layout import BASES, Spot, counters
from components.sunspec.resolving import Resolved, name_of, resolve
from components.sunspec.scanning import Ask, find_chain, read_counts
from components.sunspec.settings import Settings
from components.sunspec.values import MAX_SCALE, decode, encode, scaled
from edge_runtime.driver import Inspection
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality, Reading, Reason, Value

NO_SCALE = -32_768
"""A scale factor that is not implemented."""


class _Known(NamedTuple):
    """What a device turned out to be."""

    resolved: Resolved
    registers: ModbusDevice | None


Registers = dict[str, Inspection]
"""What was read, by the name of the registers."""


class SunSpecDevice:
    """One unit of a line."""

    def __init__(self, settings: Settings, line: Line) -> None:
        self._settings = settings
        self._line = line
        self._points = {point.name: point for point in settings.points}
        self._known: _Known | None = None

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Read these points, scaled.

        A model or field that the device does not have is bad, with the reason.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it speaks no SunSpec, or refused everything.

        """
        return [inspection.reading for inspection in await self.inspect(points)]

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Read these points and show where they lie, their registers and scale factors.

        Raises:
            DeviceError: as :meth:`read`.

        """
        known = await self._find()
        spots = {name: known.resolved.spots.get(name) for name in points}
        names = {
            name_of(place)
            for spot in spots.values()
            if spot is not None
            for place in (spot.address, spot.scale)
            if place is not None
        }
        registers: Registers = {}
        if known.registers is not None and names:
            found = await known.registers.inspect(names)
            registers = {inspection.reading.point: inspection for inspection in found}
        return [
            self._refused(name, known.resolved) if spot is None else judge(name, spot, registers)
            for name, spot in spots.items()
        ]

    def _refused(self, name: str, resolved: Resolved) -> Inspection:
        reason = f"{Reason.DEVICE_ERROR}:{resolved.refused[name]}"
        point = self._points[name]
        return Inspection(bad(name, reason), f"model {point.model} {point.field}: not there")

    async def write(self, point: str, value: Value) -> None:
        """Write one value, in the unit of the point: the scale factor is read for it.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused, or the point cannot be written, or not with this value.

        """
        known = await self._find()
        spot = known.resolved.spots.get(point)
        if spot is None or known.registers is None:
            msg = f"'{point}' was not written: the device does not have it"
            raise DeviceRefusedError(msg)
        if not spot.field.writable or self._points[point].bit is not None:
            msg = f"'{point}' cannot be written: model {self._points[point].model} says so"
            raise DeviceRefusedError(msg, hint="Points of the access RW can, as whole fields.")
        try:
            data = encode(spot.field, value, await self._exponent(point, spot, known.registers))
        except (ValueError, OverflowError) as exc:
            msg = f"'{point}' was not written: {exc}"
            raise DeviceRefusedError(msg) from exc
        await known.registers.write(name_of(spot.address), data.decode("latin-1"))

    async def _exponent(self, point: str, spot: Spot, registers: ModbusDevice) -> int:
        if spot.scale is None:
            return spot.field.scale if isinstance(spot.field.scale, int) else 0
        [found] = await registers.inspect([name_of(spot.scale)])
        exponent = exponent_of(spot, {found.reading.point: found})
        if isinstance(exponent, str):
            msg = f"'{point}' was not written: its scale factor is bad ({exponent})"
            raise DeviceRefusedError(msg)
        return exponent

    async def _find(self) -> _Known:
        """Find the models, once for each opening: after an outage a device may be another one."""
        if self._known is None:
            self._line.check_silence(self._settings.unit)
            try:
                resolved = await self._look()
            except UnitSilentError:
                self._line.note_silence(self._settings.unit, self._settings.timeout_s)
                raise
            self._line.note_answer(self._settings.unit)
            self.take(resolved)
        assert self._known is not None
        return self._known

    def take(self, resolved: Resolved) -> int:
        """Take what was found out about the device; gives the requests that a whole read needs."""
        self._known = _Known(resolved, self._registers(resolved))
        registers = resolved.registers
        return len(plan_requests(registers, registers.points, resolved.walls)) if registers else 0

    async def _look(self) -> Resolved:
        settings = self._settings
        ask = asker(self._line, settings)
        bases = BASES if settings.base is None else (settings.base,)
        chain = await find_chain(ask, bases, settings.at)
        targets = [point.target for point in settings.points]
        counts = await read_counts(ask, counters(chain, targets))
        return resolve(settings, chain, counts)

    def _registers(self, resolved: Resolved) -> ModbusDevice | None:
        if resolved.registers is None:
            return None
        learned = recall(resolved.registers).learned
        for table, place in resolved.walls.walls:
            learned.part(table, place)
        return ModbusDevice(resolved.registers, self._line)


def asker(line: Line, settings: Settings) -> Ask:
    """Give what reads registers of a unit."""

    async def ask(first: int, count: int) -> bytes:
        return await read_registers(line, settings, first, count)

    return ask


def judge(name: str, spot: Spot, registers: Registers) -> Inspection:
    """Turn registers into a reading."""
    found = registers[name_of(spot.address)]
    if found.reading.quality is Quality.BAD:
        return Inspection(bad(name, found.reading.reason), found.shown)
    exponent = exponent_of(spot, registers)
    value = decode(spot.field, found.data)
    if value is None:
        return Inspection(bad(name, Reason.NOT_IMPLEMENTED), found.shown, found.data)
    if isinstance(exponent, str):
        return Inspection(bad(name, exponent), found.shown, found.data)
    shown = f"{found.shown}, scale factor {exponent}" if exponent else found.shown
    return Inspection(Reading(name, scaled(value, exponent)), shown, found.data)


def exponent_of(spot: Spot, registers: Registers) -> int | str:
    """Give the scale factor of a field; the reason why there is none as text."""
    if spot.scale is None:
        return spot.field.scale if isinstance(spot.field.scale, int) else 0
    found = registers[name_of(spot.scale)]
    if found.reading.quality is Quality.BAD:
        return found.reading.reason
    exponent = int.from_bytes(found.data, "big", signed=True)
    if exponent == NO_SCALE:
        return Reason.NOT_IMPLEMENTED.value
    if abs(exponent) > MAX_SCALE:
        return f"{Reason.DEVICE_ERROR}:scale_factor"
    return exponent


def bad(name: str, reason: str) -> Reading:
    """Make a reading without a value."""
    return Reading(name, None, Quality.BAD, reason)
