"""Rows of a sheet into the points of a protocol and back; pure.

A column is a field of the protocol's point: ``name``, ``unit``, ``address``; a field within a field
is written with a dot: ``command.topic``. Lists are written ``1; 2``, labels ``0=off; 1=on``, and what is
more than that as JSON.
"""

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from edge_runtime.driver import Driver
from edge_runtime.marked_yaml import Mark, Marked
from edge_runtime.model import Point
from edge_runtime.problems import FileProblem, suggestion
from edge_runtime.validation import Findings
from tidegate.profiles.sheet import Row, Sheet, column_name

COMMENT = "#"
"""A column whose heading begins with it is for people."""
ALIASES = {
    "register": "address", "tag": "name", "point": "name", "units": "unit", "min": "minimum",
    "max": "maximum", "data_type": "type", "datatype": "type", "factor": "scale",
    "byte_order": "word_order", "comment": "description",
}  # fmt: skip
"""Headings of other people's sheets."""


def point_type(driver: Driver) -> type[Point]:
    """Give the point of a driver, with the fields that say where a value lives."""
    kind: type[Point] = get_args(driver.settings.model_fields["points"].annotation)[0]
    return kind


def fields_of(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Name the columns of a model with the type of each."""
    fields: dict[str, Any] = {}
    for key, field in model.model_fields.items():
        name = prefix + (field.alias or key)
        inner = _model_in(field.annotation)
        fields |= fields_of(inner, f"{name}.") if inner else {name: field.annotation}
    return fields


def read_points(sheet: Sheet, kind: type[Point]) -> tuple[list[Point], list[FileProblem]]:
    """Read every row as a point; gives the points, and everything that is wrong in the sheet."""
    reader = _Reader(sheet, kind)
    if reader.problems:  # of the heading: every row would repeat them
        return [], reader.problems
    points = [point for row in sheet.rows if (point := reader.point(row)) is not None]
    if not sheet.rows and not reader.problems:
        reader.problem(sheet.heading, None, "has a heading and no points below it")
    return points, reader.problems


class _Reader:
    def __init__(self, sheet: Sheet, kind: type[Point]) -> None:
        self._sheet = sheet
        self._kind = kind
        self._fields = fields_of(kind)
        self.problems: list[FileProblem] = []
        self._columns = dict(self._head())
        self._seen: dict[str, int] = {}
        self._last = sheet.rows[-1].number if sheet.rows else 0

    def _head(self) -> Iterator[tuple[int, str]]:
        """Match the headings with fields."""
        found: dict[str, int] = {}
        for index, cell in enumerate(self._sheet.heading.cells):
            name = cell.lower().replace(" ", "_")
            name = name if name in self._fields else ALIASES.get(name, name)
            if not name or cell.startswith(COMMENT):
                continue
            if name not in self._fields:
                near = suggestion(name, self._fields)
                known = near or f"; known are {', '.join(self._fields)}"
                text = f"unknown column '{cell}'{known}; put # before a column for people"
                self.problem(self._sheet.heading, index, text)
            elif name in found:
                other = column_name(found[name])
                text = f"'{name}' stands in column {other} already"
                self.problem(self._sheet.heading, index, text)
            else:
                found[name] = index
                yield index, name
        if "name" not in found:
            self.problem(self._sheet.heading, None, "the column 'name' is missing")

    def point(self, row: Row) -> Point | None:
        """Read one row; None where something in it is wrong, which is then noted."""
        before = len(self.problems)
        for index, cell in enumerate(row.cells):
            headless = not "".join(self._sheet.heading.cells[index : index + 1])
            if cell and headless:
                self.problem(row, index, f"found '{cell}' in a column without a heading")
        node = self._node(row)
        findings = Findings()
        point = findings.model(self._kind, node, ()) if len(self.problems) == before else None
        for problem in findings.problems:
            at = problem.column - 1 if problem.column else None
            self.problem(row, at, problem.text, problem.path)
        return point if point is not None and self._is_new(row, point.name) else None

    def _is_new(self, row: Row, name: str) -> bool:
        if name in self._seen:
            text = f"the name '{name}' stands in row {self._seen[name]} already"
            self.problem(row, self._index_of("name"), text)
            return False
        self._seen[name] = row.number
        return True

    def _node(self, row: Row) -> Marked:
        root = Marked({}, Mark(self._sheet.file, row.number, 0))
        for index, name in self._columns.items():
            cell = row.cells[index] if index < len(row.cells) else ""
            if not cell:
                continue
            mark = Mark(self._sheet.file, row.number, index + 1)
            *above, last = name.split(".")
            node = root
            for key in above:
                node = node.value.setdefault(key, Marked({}, mark))
            try:
                node.value[last] = parse_cell(cell, self._fields[name], mark, self._comma)
            except ValueError as exc:
                self.problem(row, index, str(exc), name)
        return root

    @property
    def _comma(self) -> bool:
        return self._sheet.decimal_comma

    def _index_of(self, name: str) -> int | None:
        return next((index for index, known in self._columns.items() if known == name), None)

    def problem(self, row: Row, index: int | None, text: str, path: str = "") -> None:
        """Note a problem at a cell."""
        cell = f"{column_name(index)}{row.number}" if index is not None else f"row {row.number}"
        place = f"{cell} {path}".strip()
        column = 0 if index is None else index + 1
        self.problems.append(FileProblem(self._sheet.file, row.number, column, place, text))


def parse_cell(cell: str, kind: Any, mark: Mark, decimal_comma: bool) -> Marked:
    """Read the text of a cell as what its field holds; numbers stay text, which the model reads.

    Raises:
        ValueError: labels that are none.

    """
    origins = {get_origin(k) or k for k in _flat(kind)}
    if cell.startswith(("{", "[")) and not origins <= {str, types.NoneType}:
        return _marked(_json(cell), mark)
    if dict in origins:
        return Marked({key: Marked(text, mark) for key, text in _labels(cell)}, mark)
    if origins & {tuple, list}:
        return Marked([Marked(part, mark) for part in _parts(cell)], mark)
    if decimal_comma and float in origins and cell.count(",") == 1:
        cell = cell.replace(",", ".")
    return Marked(cell, mark)


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (json.JSONDecodeError, RecursionError) as exc:
        msg = f"found '{cell[:40]}'; begins as JSON and is none: {exc}"
        raise ValueError(msg) from exc


def _marked(value: Any, mark: Mark) -> Marked:
    if isinstance(value, dict):
        return Marked({key: _marked(inner, mark) for key, inner in value.items()}, mark)
    if isinstance(value, list):
        return Marked([_marked(inner, mark) for inner in value], mark)
    return Marked(value, mark)


def _labels(cell: str) -> Iterator[tuple[str, str]]:
    for part in _parts(cell):
        key, equals, text = part.partition("=")
        if not equals or not text.strip():
            msg = f"found '{part}'; expected labels such as '0=off; 1=on'"
            raise ValueError(msg)
        yield key.strip(), text.strip()


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def format_cell(value: Any) -> str:
    """Write a field as the text of a cell; the inverse of :func:`parse_cell`."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    if isinstance(value, Mapping) and not all(str(key).lstrip("-").isdigit() for key in value):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}={text}" for key, text in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(format_cell(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def flatten(
    fields: Mapping[str, Any], known: Mapping[str, Any], prefix: str = ""
) -> dict[str, Any]:
    """Turn fields within fields into dotted names, as far as ``known`` names them so."""
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        name = prefix + key
        if isinstance(value, Mapping) and name not in known:
            flat |= flatten(value, known, f"{name}.")
        else:
            flat[name] = value
    return flat


def _model_in(kind: Any) -> type[BaseModel] | None:
    models = [k for k in _flat(kind) if isinstance(k, type) and issubclass(k, BaseModel)]
    return models[0] if len(models) == 1 else None


def _flat(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in {Union, types.UnionType}:
        for argument in get_args(kind):
            yield from _flat(argument)
    elif hasattr(kind, "__metadata__"):
        yield from _flat(get_args(kind)[0])
    else:
        yield kind
