"""Where things lie: the chain of models of one device, and the address of each field; pure."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from components.modbus.limits import ADDRESSES
from components.sunspec.definitions import HEADER_REGISTERS, Definition, Field, Group, definition

BASES = (40_000, 50_000, 0)
"""Where the marker may stand (SunSpec, "Modbus Device Discovery")."""
MARKER = b"SunS"
MARKER_REGISTERS = 2
END_MODEL = 0xFFFF
MAX_MODELS = 200
"""More in one chain are garbage."""


class Block(NamedTuple):
    """One model of a device."""

    model: int
    address: int
    """Of its id, the first of its registers."""
    length: int
    """Registers after the two of its header."""

    @property
    def end(self) -> int:
        """The address after its last."""
        return self.address + HEADER_REGISTERS + self.length


class Chain(NamedTuple):
    """All models of a device, in the order of their addresses."""

    base: int
    blocks: tuple[Block, ...]

    def block(self, model: int, instance: int = 1) -> Block | None:
        """Find a model; ``instance`` counts from 1 where a device has it more than once."""
        found = [block for block in self.blocks if block.model == model]
        return found[instance - 1] if len(found) >= instance else None


class Target(NamedTuple):
    """Which field of which model."""

    model: int
    instance: int
    field: str
    places: tuple[int, ...]
    """One number, from 1, for each repeating group on the way."""


class Spot(NamedTuple):
    """Where a field lies on a device."""

    field: Field
    address: int
    scale: int | None
    """Address of its scale factor; None where the definition says it, or there is none."""


class NowhereError(Exception):
    """The device has no such place; the text is the detail of a reading's reason."""


Counts = Mapping[tuple[int, str], int]
"""How often groups repeat, by address of the model and name of the counting field."""


def next_block(address: int, header: bytes) -> Block | None:
    """Read the header of a model; None at the end of the chain, or where it leads nowhere."""
    model = int.from_bytes(header[:2], "big")
    length = int.from_bytes(header[2:4], "big")
    block = Block(model, address, length)
    return None if model in {END_MODEL, 0} or block.end > ADDRESSES else block


def counters(chain: Chain, targets: Sequence[Target]) -> dict[tuple[int, str], int]:
    """List the addresses of the fields that must be read before these targets can be found."""
    needed: dict[tuple[int, str], int] = {}
    for target in targets:
        block = chain.block(target.model, target.instance)
        if block is None:
            continue
        model = definition(target.model)
        groups, _ = model.find(target.field)
        for top in groups[1:2]:
            needed |= _counters_of(block, _family(model, top))
    return needed


def all_counters(block: Block) -> dict[tuple[int, str], int]:
    """List the addresses of all fields that count groups of a model."""
    return _counters_of(block, _all(definition(block.model).group))


def _counters_of(block: Block, groups: Sequence[Group]) -> dict[tuple[int, str], int]:
    fields = definition(block.model).group.fields
    return {
        (block.address, group.count): block.address + fields[group.count].offset
        for group in groups
        if isinstance(group.count, str)
    }


def _family(model: Definition, top: Group) -> list[Group]:
    """Give all groups whose size matters for where ``top`` and its members lie."""
    found: list[Group] = []
    for group in model.group.groups.values():
        found += _all(group)
        if group is top:
            break
    return found


def _all(group: Group) -> list[Group]:
    return [group, *(inner for child in group.groups.values() for inner in _all(child))]


def locate(chain: Chain, target: Target, counts: Counts) -> Spot:
    """Find a field.

    Raises:
        NowhereError: the device does not have the model, or not so much of it.

    """
    block = chain.block(target.model, target.instance)
    if block is None:
        msg = "no_model"
        raise NowhereError(msg)
    model = definition(target.model)
    groups, field = model.find(target.field)
    walk = _Walk(block, counts)
    starts = walk.starts(groups, target.places)
    address = starts[-1] + field.offset
    if address + field.size > block.end:
        msg = "no_field"  # an older version of the model, or a shorter one
        raise NowhereError(msg)
    return Spot(field, address, _scale_address(groups, starts, field))


def _scale_address(groups: Sequence[Group], starts: Sequence[int], field: Field) -> int | None:
    if not isinstance(field.scale, str):
        return None
    for group, start in zip(reversed(groups), reversed(starts), strict=True):
        if field.scale in group.fields:
            return start + group.fields[field.scale].offset
    return None


class _Walk:
    """Finds the starts of groups within one model."""

    def __init__(self, block: Block, counts: Counts) -> None:
        self._block = block
        self._counts = counts

    def starts(self, groups: Sequence[Group], places: Sequence[int]) -> list[int]:
        """Give the address at which each group of a path starts."""
        starts = [self._block.address]
        left = list(places)
        for outer, inner in pairwise(groups):
            start = starts[-1] + outer.size
            for group in outer.groups.values():
                if group is inner:
                    break
                start += self._size(group) * self._count(group, start)
            place = left.pop(0) if inner.repeats and left else 1
            if place > self._count(inner, start):
                msg = "no_index"
                raise NowhereError(msg)
            starts.append(start + (place - 1) * self._size(inner))
        return starts

    def _size(self, group: Group) -> int:
        return group.size + sum(
            self._size(inner) * self._count(inner, 0) for inner in group.groups.values()
        )

    def _count(self, group: Group, start: int) -> int:
        if group.count is None:
            return 1
        if isinstance(group.count, str):
            return self._counts.get((self._block.address, group.count), 0)
        return group.count or max(0, self._block.end - start) // max(1, self._size(group))
