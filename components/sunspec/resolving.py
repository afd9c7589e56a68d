"""From the points of the settings to registers that the Modbus driver reads; pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from components.modbus import plan as modbus_plan
from components.modbus import settings as modbus
from components.modbus.line_settings import LineSettings
from components.modbus.plan import Holes
from components.modbus.settings import RegisterType, Table
from components.sunspec.definitions import HEADER_REGISTERS, Group, definition
from components.sunspec.layout import (
    BASES,
    MARKER_REGISTERS,
    Block,
    Chain,
    Counts,
    NowhereError,
    Spot,
    locate,
)
from components.sunspec.settings import Point, Settings
from edge_runtime.driver import RequestPlan

COMMON_MODEL, COMMON_LENGTH = 1, 66
LINE_FIELDS = (*LineSettings.model_fields.keys() - {"points"}, "max_registers")


class Resolved(NamedTuple):
    """What the points of a device come to on its registers."""

    spots: Mapping[str, Spot]
    """By the name of the point."""
    refused: Mapping[str, str]
    """Points that the device does not have, and why."""
    registers: modbus.Settings | None
    """The registers as a Modbus device; None where nothing can be read."""
    walls: Holes
    """No request spans two models, so that a value and its scale factor are of one moment."""


def name_of(address: int) -> str:
    """Name the registers that begin at an address."""
    return f"r{address}"


def resolve(
    settings: Settings, chain: Chain, counts: Counts, points: Sequence[Point] | None = None
) -> Resolved:
    """Find all points on a device."""
    spots: dict[str, Spot] = {}
    refused: dict[str, str] = {}
    for point in settings.points if points is None else points:
        try:
            spots[point.name] = locate(chain, point.target, counts)
        except NowhereError as exc:
            refused[point.name] = str(exc)
    sizes = {spot.address: spot.field.size for spot in spots.values()}
    sizes |= {spot.scale: 1 for spot in spots.values() if spot.scale is not None}
    walls = frozenset((Table.HOLDING, block.address) for block in chain.blocks)
    registers = _registers(settings, sizes) if sizes else None
    return Resolved(spots, refused, registers, Holes(walls=walls))


def _registers(settings: Settings, sizes: Mapping[int, int]) -> modbus.Settings:
    fields: dict[str, Any] = {
        name: getattr(settings, name)
        for name in LINE_FIELDS
        if name in settings.model_fields_set or name == "name"
    }
    points = [
        modbus.Point(
            name=name_of(address), address=address, type=RegisterType.STRING, length=size,
            encoding="latin-1",
        )
        for address, size in sizes.items()
    ]  # fmt: skip
    return modbus.Settings(**fields, max_gap=settings.max_registers, points=tuple(points))


# --- planning without a device ------------------------------------------------------------------


def describe(settings: Settings, names: Collection[str]) -> list[RequestPlan]:
    """Describe the requests for these points, on a device with their models one after the other."""
    wanted = set(names)
    points = [point for point in settings.points if point.name in wanted]
    chain = assumed_chain(settings)
    resolved = resolve(settings, chain, assumed_counts(settings, chain), points)
    if resolved.registers is None:
        return []
    shown: dict[str, list[str]] = {}
    for name, spot in resolved.spots.items():
        shown.setdefault(name_of(spot.address), []).append(name)
    registers = resolved.registers
    plans = modbus_plan.describe(registers, [p.name for p in registers.points], resolved.walls)
    return [
        RequestPlan(
            plan.label,
            tuple(name for register in plan.points for name in shown.get(register, ())),
            plan.bytes_out,
            plan.bytes_in,
            plan.seconds,
        )
        for plan in plans
    ]


def assumed_chain(settings: Settings) -> Chain:
    """Lay out the models that the points need, as small as they can be."""
    base = BASES[0] if settings.base is None else settings.base
    address = base + MARKER_REGISTERS
    blocks: list[Block] = []
    wanted: dict[tuple[int, int], int] = {(COMMON_MODEL, 1): 1}
    for point in settings.points:
        for instance in range(1, point.instance + 1):
            key = (point.model, instance)
            wanted[key] = max(wanted.get(key, 1), *point.index, 1)
    for (model, _), times in sorted(wanted.items()):
        length = COMMON_LENGTH if model == COMMON_MODEL else _length(model, times)
        blocks.append(Block(model, address, length))
        address = blocks[-1].end
    return Chain(base, tuple(blocks))


def assumed_counts(settings: Settings, chain: Chain) -> Counts:
    """Let every group repeat as often as the highest index that is asked for."""
    times = max((place for point in settings.points for place in point.index), default=1)
    return {
        (block.address, name): times
        for block in chain.blocks
        for name in definition(block.model).group.fields
    }


def _length(model: int, times: int) -> int:
    return _size(definition(model).group, times) - HEADER_REGISTERS


def _size(group: Group, times: int) -> int:
    return group.size + sum(
        _size(inner, times) * (times if inner.repeats else 1) for inner in group.groups.values()
    )
