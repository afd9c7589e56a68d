"""EDE files (Engineering Data Exchange 2.x of the BACnet Interest Group Europe) into points. Pure.

An EDE file lists the objects of a site's devices, one a row, below a few rows about the project. Beside
it lie a file of state texts (a number and the texts of its states) and one of units (vendors' own
codes). Every row that cannot be used is told with line and column; the others are taken.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from components.bacnet import limits
from components.bacnet.kinds import BINARY, COMMANDED, MULTI_STATE, NUMBERS, TYPES, object_name
from components.bacnet.objects import POINT_TYPES, kind_of_object, point_name, unique
from components.bacnet.units import is_default, ucum_of
from edge_runtime.model import PointKind

MAX_ROWS = 100_000
MAX_PROBLEMS = 200
MAX_DESCRIPTION = 200
MAX_DIGITS = 10
VENDOR_UNITS = 256
"""From here on units are a vendor's own, explained in the file of units."""

COLUMNS = (
    "keyname", "device obj.-instance", "object-name", "object-type", "object-instance",
    "description", "present-value-default", "min-present-value", "max-present-value", "settable",
    "supports cov", "hi-limit", "low-limit", "state-text-reference", "unit-code",
    "vendor-specific-address", "notification-class",
)  # fmt: skip
"""Of the layouts 2.1 to 2.3; more are ignored."""
_PLACE = {name: place for place, name in enumerate(COLUMNS)}
_MANDATORY = 5
_HEAD = re.compile(r"^[A-Z][A-Z_]+$")
_YES, _NO = {"y", "yes", "1", "true", "j"}, {"n", "no", "0", "false"}


class EdeProblem(NamedTuple):
    """What is wrong, and where; both counted from 1, column 0 for the whole row."""

    row: int
    column: int
    text: str


@dataclass
class Ede:
    """What a file says."""

    head: dict[str, str] = field(default_factory=dict)
    """``PROJECT_NAME``, ``VERSION_OF_LAYOUT`` and what else stands above."""
    devices: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """Points with the fields of a device profile, by device instance, in the file's order."""
    problems: list[EdeProblem] = field(default_factory=list)


class _CellError(ValueError):
    """A cell that cannot be used."""

    def __init__(self, column: str, text: str) -> None:
        super().__init__(text)
        self.place = _PLACE[column] + 1


def read_ede(text: str, *, state_texts: str = "", units: str = "") -> Ede:
    """Read an EDE file and, where given, its files of state texts and units."""
    ede = Ede()
    states = _references(state_texts, ede)
    codes = {number: texts[0] for number, texts in _references(units, ede).items() if texts}
    names: dict[int, set[str]] = {}
    seen: set[tuple[int, int, int]] = set()
    for row, cells in _rows(text, ede):
        if _HEAD.match(cells[0]) and len(cells) <= 2 + sum(not c for c in cells):
            ede.head[cells[0]] = cells[1] if len(cells) > 1 else ""
            continue
        try:
            device, place = _place(cells, seen)
            point = _point(cells, place, states, codes)
        except _CellError as exc:
            _note(ede, row, exc.place, str(exc))
            continue
        if point is not None:
            point["name"] = unique(point["name"], names.setdefault(device, set()))
            ede.devices.setdefault(device, []).append(point)
    if not ede.devices and not ede.problems:
        _note(ede, 1, 0, "no objects found; is it an EDE file, with ';' between its columns?")
    return ede


def _rows(text: str, ede: Ede) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that are no remark, with their numbers and without what is blank at the end."""
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=_delimiter(text))
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as exc:
            _note(ede, reader.line_num, 0, f"cannot be read: {exc}")
            return
        if cells is None:
            return
        if reader.line_num > MAX_ROWS:
            _note(ede, reader.line_num, 0, f"more than {MAX_ROWS} rows; the rest was left out")
            return
        cells = [cell.strip() for cell in cells]
        if any(cells) and not cells[0].startswith("#"):
            yield reader.line_num, cells


def _delimiter(text: str) -> str:
    counts = {mark: text[:20_000].count(mark) for mark in (";", "\t", ",")}
    return max(counts, key=lambda mark: counts[mark])


def _references(text: str, ede: Ede) -> dict[int, list[str]]:
    """Read rows of a number and texts."""
    found: dict[int, list[str]] = {}
    for row, cells in _rows(text, ede) if text else ():
        if _HEAD.match(cells[0]):
            continue
        if not _is_number(cells[0]):
            _note(ede, row, 1, f"found '{cells[0]}'; expected the number of a reference")
            continue
        while cells and not cells[-1]:
            cells.pop()
        found[int(cells[0])] = cells[1:]
    return found


def _note(ede: Ede, row: int, column: int, text: str) -> None:
    if len(ede.problems) < MAX_PROBLEMS:
        ede.problems.append(EdeProblem(row, column, text))


# --- one row ------------------------------------------------------------------------------------


def _place(cells: Sequence[str], seen: set[tuple[int, int, int]]) -> tuple[int, tuple[int, int]]:
    """Read device and object; both are mandatory, and the pair stands once in a file."""
    if len(cells) < _MANDATORY:
        raise _CellError(
            "object-instance", f"{len(cells)} columns; the first {_MANDATORY} are mandatory"
        )
    device = _number(cells, "device obj.-instance", limits.MAX_INSTANCE)
    kind = _cell(cells, "object-type")
    number = NUMBERS.get(kind.lower().replace(" ", "-"))
    if number is None:
        number = _number(cells, "object-type", 1_023)
    instance = _number(cells, "object-instance", limits.MAX_INSTANCE)
    if (device, number, instance) in seen:
        where = object_name((number, instance))
        raise _CellError("object-instance", f"{where} of device {device} stands twice")
    seen.add((device, number, instance))
    return device, (number, instance)


def _point(
    cells: Sequence[str],
    place: tuple[int, int],
    states: Mapping[int, Sequence[str]],
    codes: Mapping[int, str],
) -> dict[str, Any] | None:
    """Make a point of a row; None for objects that hold no value, such as the device itself."""
    if place[0] not in POINT_TYPES:
        return None
    title = _cell(cells, "object-name") or _cell(cells, "keyname")
    point: dict[str, Any] = {
        "name": point_name(title) or point_name(object_name(place)),
        "object": object_name(place),
        "kind": kind_of_object(place).value,
    }
    if description := _cell(cells, "description") or title:
        point["description"] = description[:MAX_DESCRIPTION]
    if place[0] in COMMANDED or _flag(cells, "settable"):
        point["access"] = "read_write"
    if _flag(cells, "supports cov") is False:
        point["cov"] = False
    if TYPES[place[0]].has_unit:
        point |= _range(cells) if "access" in point else {}  # of measured values often a default
        if unit := _unit(cells, codes):
            point["unit"] = unit
    if place[0] in MULTI_STATE and (labels := _labels(cells, states)):
        point |= {"kind": PointKind.ENUMERATION.value, "labels": labels}
    if place[0] in BINARY:
        _labels(cells, states)  # checked, though true and false need none
    return point


def _range(cells: Sequence[str]) -> dict[str, float]:
    low, high = _real(cells, "min-present-value"), _real(cells, "max-present-value")
    if low is None or high is None or (low == high == 0):
        return {}
    if low > high:
        raise _CellError("max-present-value", f"{high:g} is below the smallest value, {low:g}")
    return {"minimum": low, "maximum": high}


def _unit(cells: Sequence[str], codes: Mapping[int, str]) -> str:
    if not _cell(cells, "unit-code"):
        return ""
    code = _number(cells, "unit-code", 65_535)
    if code >= VENDOR_UNITS and code not in codes:
        raise _CellError(
            "unit-code", f"unit {code} is a vendor's own and stands in no file of units"
        )
    return "" if is_default(code) else ucum_of(code)


def _labels(cells: Sequence[str], states: Mapping[int, Sequence[str]]) -> dict[int, str]:
    if not _cell(cells, "state-text-reference"):
        return {}
    number = _number(cells, "state-text-reference", 2**31)
    if not states:
        return {}
    if number not in states:
        raise _CellError(
            "state-text-reference", f"state texts {number} stand in no file of state texts"
        )
    return {place: text or str(place) for place, text in enumerate(states[number], start=1)}


def _cell(cells: Sequence[str], column: str) -> str:
    place = _PLACE[column]
    return cells[place] if place < len(cells) else ""


def _number(cells: Sequence[str], column: str, most: int) -> int:
    text = _cell(cells, column)
    if not _is_number(text) or int(text) > most:
        raise _CellError(column, f"found '{text}'; expected {column} as a number from 0 to {most}")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS


def _real(cells: Sequence[str], column: str) -> float | None:
    text = _cell(cells, column).replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise _CellError(column, f"found '{text}'; expected a number") from None
    if abs(value) > 3.4e38 or value != value:  # noqa: PLR0124, PLR2004 - not a number; REAL's range
        return None  # what tools write for "no limit"
    return value


def _flag(cells: Sequence[str], column: str) -> bool | None:
    text = _cell(cells, column).lower()
    if not text:
        return None
    if text not in _YES | _NO:
        raise _CellError(column, f"found '{text}'; expected Y or N")
    return text in _YES
