"""Which points to propose for the models that a device turned out to have; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.modbus.limits import MAX_READ_REGISTERS
from components.sunspec.definitions import (
    HEADER,
    HIDDEN,
    Definition,
    Field,
    Group,
    definition,
    known_models,
)
from components.sunspec.layout import Block, Chain, Counts, all_counters

COMMON = 1
SLOW_S = 60
SETTINGS_MODELS = range(120, 160)
"""Ratings, settings and controls of inverters: they change when somebody changes them."""
CURVES = frozenset({*range(126, 136), *range(138, 146), *range(705, 713)})
"""Curves of many points, for people who set them and not for charts."""
MAX_POINTS = 400
MAX_REPEATS = 64
Proposal = dict[str, Any]
"""A point with the fields of a device profile."""


def counters_of(chain: Chain) -> dict[tuple[int, str], int]:
    """List the counts that must be read before points can be proposed."""
    places: dict[tuple[int, str], int] = {}
    for block in chain.blocks:
        if _is_proposed(block):
            places |= all_counters(block)
    return places


def _is_proposed(block: Block) -> bool:
    return block.model in known_models() and block.model not in CURVES | {COMMON}


def propose(chain: Chain, counts: Counts) -> list[Proposal]:
    """Propose a point for each field of the models that are for charts and controls."""
    found: list[Proposal] = []
    seen: dict[int, int] = {}
    for block in chain.blocks:
        seen[block.model] = seen.get(block.model, 0) + 1
        if _is_proposed(block) and len(found) < MAX_POINTS:
            found += _of_block(block, seen[block.model], counts)
    return _with_unique_names(found[:MAX_POINTS])


def _of_block(block: Block, instance: int, counts: Counts) -> Iterator[Proposal]:
    model = definition(block.model)
    for groups, field in model.paths():
        too_long = field.size > MAX_READ_REGISTERS
        if field.type in HIDDEN or field.name in HEADER or too_long:
            continue
        for index in _indices(groups, block, counts):
            yield _point(model, groups, field, instance, index)


def _indices(groups: Sequence[Group], block: Block, counts: Counts) -> Iterator[tuple[int, ...]]:
    """Give the index of every member; groups within repeating groups are curves, and left out."""
    repeating = [group for group in groups if group.repeats]
    if not repeating:
        yield ()
        return
    if len(repeating) > 1:
        return
    [group] = repeating
    if isinstance(group.count, str):
        times = counts.get((block.address, group.count), 0)
    else:
        times = group.count or (block.end - block.address - groups[0].size) // max(1, group.size)
    yield from ((place,) for place in range(1, min(times, MAX_REPEATS) + 1))


def _point(
    model: Definition, groups: Sequence[Group], field: Field, instance: int, index: tuple[int, ...]
) -> Proposal:
    path = ".".join([*(group.name for group in groups[1:]), field.name])
    point: Proposal = {"name": _name(field, index), "model": model.id, "field": path}
    if index:
        point["index"] = index[0]
    if instance > 1:
        point["instance"] = instance
    if model.id in SETTINGS_MODELS:
        point["interval_s"] = SLOW_S
    return point


def _name(field: Field, index: tuple[int, ...]) -> str:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field.label or field.name)
    words = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    if not words or not words[0].isalpha():
        words = f"p_{words}".rstrip("_")
    return "_".join([words[:50], *map(str, index)])


def _with_unique_names(points: Sequence[Proposal]) -> list[Proposal]:
    """Tell points of one name apart by their model, then by a number."""
    times: dict[str, int] = {}
    for point in points:
        times[point["name"]] = times.get(point["name"], 0) + 1
    taken: set[str] = set()
    named: list[Proposal] = []
    for point in points:
        name = point["name"] if times[point["name"]] == 1 else f"{point['name']}_m{point['model']}"
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique)
        named.append({**point, "name": unique})
    return named


def texts_of(values: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Give manufacturer, model, version and serial number, as texts."""
    manufacturer, model, version, serial = (
        str(values.get(name) or "") for name in ("mn", "md", "vr", "sn")
    )
    return manufacturer, model, version, serial
