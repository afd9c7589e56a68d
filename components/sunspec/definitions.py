"""The definitions of SunSpec's models, as pysunspec2 ships them in JSON; none of its code is used.

A model is a group of points that may hold further groups, some of which repeat: as often as a point
of the model says, or, with the count 0, until the model ends.

Source: SunSpec Device Information Model Specification V1.1 (sunspec.org).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import sunspec2

FOLDER = resources.files(sunspec2).joinpath("models", "json")
HEADER = ("ID", "L")
"""The first two points of every model: its id, and its length without these two."""
HEADER_REGISTERS = 2
HIDDEN = frozenset({"pad", "sunssf"})
"""Types that hold nothing for people: padding, and scale factors."""


class UnknownModelError(Exception):
    """There is no such model."""


class UnknownFieldError(Exception):
    """The model has no such field."""


@dataclass(frozen=True, slots=True)
class Field:
    """One point of a model; a field, because our points are another thing."""

    name: str
    type: str
    offset: int
    """Registers from the start of its group."""
    size: int
    """Registers."""
    scale: str | int | None
    """Name of the scale factor's field, or the factor itself."""
    units: str
    writable: bool
    mandatory: bool
    symbols: Mapping[int, str]
    label: str


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that lie one after the other, then the groups within."""

    name: str
    count: str | int | None
    """Name of the field that says how often it repeats, 0 for as often as fits, None for once."""
    fields: Mapping[str, Field]
    groups: Mapping[str, "Group"]
    size: int
    """Registers of the fields alone."""

    @property
    def repeats(self) -> bool:
        """Whether its members are told apart by an index."""
        return self.count is not None


@dataclass(frozen=True, slots=True)
class Definition:
    """A model."""

    id: int
    title: str
    group: Group

    def paths(self) -> Iterator[tuple[tuple[Group, ...], Field]]:
        """Give every field with the groups that lead to it, the model's own first."""
        yield from _paths((self.group,))

    def find(self, name: str) -> tuple[tuple[Group, ...], Field]:
        """Find a field by its path (``module.DCW``), or by its bare name where that is unique.

        Raises:
            UnknownFieldError: there is none, or more than one.

        """
        found = [
            (groups, field)
            for groups, field in self.paths()
            if name in {field.name, path_of(groups, field)}
        ]
        exact = [entry for entry in found if path_of(*entry) == name] or found
        if len(exact) == 1:
            return exact[0]
        if exact:
            paths = ", ".join(path_of(*entry) for entry in exact[:4])
            msg = f"'{name}' is ambiguous in model {self.id}: {paths} have that name"
        else:
            msg = f"model {self.id} has no field '{name}'"
        raise UnknownFieldError(msg)

    def names(self) -> list[str]:
        """Name all fields by their paths."""
        return [path_of(groups, field) for groups, field in self.paths()]


def path_of(groups: tuple[Group, ...], field: Field) -> str:
    """Give the name of a field with its groups, without the model's own: ``Crv.Pt.V``."""
    return ".".join([*(group.name for group in groups[1:]), field.name])


def _paths(groups: tuple[Group, ...]) -> Iterator[tuple[tuple[Group, ...], Field]]:
    for field in groups[-1].fields.values():
        yield groups, field
    for group in groups[-1].groups.values():
        yield from _paths((*groups, group))


@lru_cache
def known_models() -> frozenset[int]:
    """List the ids of all models that are defined."""
    names = (entry.name for entry in FOLDER.iterdir())
    numbers = (name.removeprefix("model_").removesuffix(".json") for name in names)
    return frozenset(int(number) for number in numbers if number.isdigit())


@lru_cache
def definition(model: int) -> Definition:
    """Read the definition of a model.

    Raises:
        UnknownModelError: there is none.

    """
    if model not in known_models():
        msg = f"there is no SunSpec model {model}"
        raise UnknownModelError(msg)
    tree = json.loads(FOLDER.joinpath(f"model_{model}.json").read_text(encoding="utf-8"))
    return Definition(model, tree["group"].get("label", ""), _group(tree["group"], top=True))


def _group(tree: Mapping[str, Any], *, top: bool = False) -> Group:
    fields: dict[str, Field] = {}
    offset = 0
    for point in tree["points"]:
        fields[point["name"]] = _field(point, offset)
        offset += point["size"]
    groups = {group["name"]: _group(group) for group in tree.get("groups", [])}
    return Group(tree["name"], None if top else tree.get("count"), fields, groups, offset)


def _field(tree: Mapping[str, Any], offset: int) -> Field:
    return Field(
        name=tree["name"],
        type=tree["type"],
        offset=offset,
        size=tree["size"],
        scale=tree.get("sf"),
        units=tree.get("units", ""),
        writable=tree.get("access") == "RW",
        mandatory=tree.get("mandatory") == "M",
        symbols={int(symbol["value"]): symbol["name"] for symbol in tree.get("symbols", [])},
        label=tree.get("label", ""),
    )
