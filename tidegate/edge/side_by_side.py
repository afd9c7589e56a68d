"""``tidegate edge solve``: the registers around a point beside what the display shows.

The addresses around the point are read through the driver with a changed copy of the device's
settings, so that what must not be touched is not, and nothing of the gateway changes.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import ValidationError

from edge_runtime.clock import Clock
from edge_runtime.driver import DeviceSettings
from edge_runtime.errors import SettingsError
from edge_runtime.model import Point, PointKind
from edge_runtime.settings import ConfiguredDevice
from tidegate.edge.byte_orders import Number
from tidegate.edge.reading import look_at
from tidegate.edge.solving import (
    FEW_DIGITS,
    NEAR,
    Candidate,
    Current,
    Display,
    Registers,
    is_clear,
    same_order,
    scales_for,
    solve,
)

REGISTER_FIELDS = {"table", "address", "type", "word_order"}
LONGEST = 4
"""Registers of the longest number."""
MAX_SHOWN = 5
PLACES = 9
NUMBERS = {PointKind.FLOAT, PointKind.INTEGER}


class Proposal(msgspec.Struct, frozen=True):
    """One way to read the point that fits the display."""

    value: float
    exact: bool
    cost: float
    changes: dict[str, Any]
    """Fields of the point that have to be changed; empty where it is right as it is."""
    line: str
    """To be written into gateway.yaml."""
    against: list[str]
    """What speaks against it."""


class Solution(msgspec.Struct, frozen=True):
    """What fits a display."""

    device: str
    point: str
    display: str
    unit: str
    clear: bool
    """The first proposal is well ahead of the others."""
    proposals: list[Proposal]
    registers: dict[str, str]
    """What was read, in hex by address."""
    notes: list[str]


def reads_registers(point: Point) -> bool:
    """Tell whether a point lies in 16-bit registers whose neighbours can be read."""
    fields = type(point).model_fields.keys()
    return fields >= REGISTER_FIELDS and str(getattr(point, "table", "")) in {"holding", "input"}


def address_of(point: Point) -> int:
    """Give the address of a point whose driver counts registers."""
    return int(getattr(point, "address", 0))


async def solve_point(
    device: ConfiguredDevice,
    name: str,
    display: Display,
    clock: Clock,
    *,
    reads: int = 3,
    pause_s: float = 0.5,
) -> Solution:
    """Read a point and what is around it, and find what fits.

    Raises:
        SettingsError: the point is no number.
        DeviceError: the device did not answer.

    """
    point = next(p for p in device.settings.points if p.name == name)
    if point.kind not in NUMBERS or point.bit is not None:
        msg = f"'{name}' is no number"
        raise SettingsError(msg, hint="solve needs a point of the kind float or integer")
    registers: list[Registers] = []
    notes: list[str] = []
    if reads_registers(point):
        around = with_neighbours(device, point)
        for number in range(reads):
            if number:
                await clock.sleep(pause_s)
            registers.append(await _read_registers(around, point, clock))
        current = current_of(point, device.settings)
        candidates = solve(registers, display, current)
    else:
        numbers = await _read_numbers(device, point, clock, reads=reads, pause_s=pause_s)
        candidates = scales_for(numbers, display, current_of(point, device.settings))
        notes.append("the protocol names the type by itself: only scales were tried")
    if display.digits < FEW_DIGITS:
        notes.append("few digits fit by chance: try again with a longer value")
    if registers and not any(registers[0].values()):
        notes.append("the device refused every address around the point")
    return Solution(
        device=device.settings.name,
        point=name,
        display=str(display.value),
        unit=point.unit,
        clear=is_clear(candidates),
        proposals=[propose(point, c, device.settings) for c in candidates[:MAX_SHOWN]],
        registers=_as_hex(registers, point),
        notes=notes,
    )


def current_of(point: Point, settings: DeviceSettings) -> Current:
    """Tell how a point is read now."""
    own = getattr(point, "word_order", None) or getattr(settings, "word_order", None) or "ABCD"
    scale = Decimal(repr(point.scale))
    return Current(
        type=str(getattr(point, "register_type", "float64")),
        order=str(own),
        scale=scale.normalize() if scale != 1 else Decimal(1),
        offset=Decimal(repr(point.offset)),
        unit=point.unit,
    )


def with_neighbours(device: ConfiguredDevice, point: Point) -> ConfiguredDevice:
    """Give the device with the single registers around a point as its only points."""
    table = str(getattr(point, "table", ""))
    settings, kept = device.settings, []
    for shift in range(-NEAR, NEAR + LONGEST):
        fields: dict[str, Any] = {"name": f"r{shift + NEAR}", "kind": "integer", "type": "uint16"}
        fields |= {"table": table, "address": address_of(point) + shift, "word_order": "ABCD"}
        try:
            neighbour = type(point).model_validate(fields)
            _revalidated(settings, [neighbour])
        except ValidationError:
            continue  # past the end of the table, or declared unreadable
        kept.append(neighbour)
    return ConfiguredDevice(device.driver, _revalidated(settings, kept))


def _revalidated(settings: DeviceSettings, points: Sequence[Point]) -> DeviceSettings:
    fields = {name: getattr(settings, name) for name in type(settings).model_fields}
    return type(settings).model_validate({**fields, "points": tuple(points)})


async def _read_registers(device: ConfiguredDevice, point: Point, clock: Clock) -> Registers:
    found = {}
    for seen in await look_at(device, (), clock):
        raw = seen.inspection.reading.value
        if isinstance(raw, int):
            found[address_of(seen.point) - address_of(point)] = raw.to_bytes(2, "big")
    return found


async def _read_numbers(
    device: ConfiguredDevice, point: Point, clock: Clock, *, reads: int, pause_s: float
) -> list[Number]:
    found = []
    for number in range(reads):
        if number:
            await clock.sleep(pause_s)
        for seen in await look_at(device, [point.name], clock):
            raw = seen.inspection.reading.value
            if isinstance(raw, int | float) and not isinstance(raw, bool):
                found.append(raw)
    return found


def propose(point: Point, candidate: Candidate, settings: DeviceSettings) -> Proposal:
    """Write a candidate down as what has to be changed."""
    changes = changes_for(point, candidate, settings)
    return Proposal(
        value=round(candidate.value, PLACES),
        exact=candidate.exact,
        cost=round(candidate.cost, 3),
        changes=changes,
        line=yaml_line({"name": point.name, **changes}) if changes else "",
        against=list(candidate.why),
    )


def changes_for(point: Point, candidate: Candidate, settings: DeviceSettings) -> dict[str, Any]:
    """Name the fields of a point that a candidate asks to change."""
    guess, current = candidate.guess, current_of(point, settings)
    changes: dict[str, Any] = {}
    if guess.shift:
        changes["address"] = address_of(point) + guess.shift
    if guess.type != current.type:
        changes["type"] = guess.type
    if not same_order(guess, current.order):
        changes["word_order"] = guess.order
    factor, offset = Decimal(1), Decimal(0)
    if guess.conversion is not None:
        factor, offset = guess.conversion.factor, guess.conversion.offset
    elif guess.scale == current.scale:
        offset = current.offset
    if guess.scale * factor != current.scale:
        changes["scale"] = round(float(guess.scale * factor), PLACES)
    if offset != current.offset:
        changes["offset"] = round(float(offset), PLACES)
    if changes and point.scale_point is not None:
        changes["scale_point"] = None
    return changes


def yaml_line(fields: dict[str, Any]) -> str:
    """Write a point in one line of YAML."""
    words = [f"{key}: {_scalar(value)}" for key, value in fields.items()]
    return "- {" + ", ".join(words) + "}"


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _as_hex(reads: Sequence[Registers], point: Point) -> dict[str, str]:
    if not reads:
        return {}
    return {str(address_of(point) + shift): data.hex() for shift, data in sorted(reads[-1].items())}
