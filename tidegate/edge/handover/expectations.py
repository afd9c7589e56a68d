"""A list of expected values, as YAML or CSV, for checking without anybody at the keyboard."""

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edge_runtime.marked_yaml import MAX_FILE_BYTES
from edge_runtime.problems import FileProblem, FileProblemsError, suggestion
from edge_runtime.validation import Findings
from tidegate.edge.handover.comparing import DEFAULT_TOLERANCE, Tolerance, parse_tolerance

COLUMNS = ("point", "expected", "tolerance", "note")
MAX_ROWS = 50_000
HINT = "mend the list of expectations; nothing was checked"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one point should read."""

    expected: str
    tolerance: Tolerance
    note: str = ""


class PointExpectation(BaseModel):
    """One point of the list: what is expected, and how exactly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expected: bool | int | float | str
    tolerance: str | float | None = None
    note: str = Field(default="", max_length=500)

    @field_validator("tolerance")
    @classmethod
    def _can_be_read(cls, value: str | float | None) -> str | float | None:
        if value is not None:
            parse_tolerance(str(value))
        return value


class ExpectationList(BaseModel):
    """The whole list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: str | float = "1 %"
    """Of every point that has none of its own."""
    points: dict[str, bool | int | float | str | PointExpectation] = Field(max_length=MAX_ROWS)
    """By ``device/point``: the value alone, or the fields of one point."""

    @field_validator("tolerance")
    @classmethod
    def _can_be_read(cls, value: str | float) -> str | float:
        parse_tolerance(str(value))
        return value


def read_expectations(path: Path, known: Collection[str]) -> dict[str, Expectation]:
    """Read a list; ``known`` are the keys of all points.

    Raises:
        FileProblemsError: everything that is wrong with it, each with its line.

    """
    read = _read_csv if path.suffix.lower() == ".csv" else _read_yaml
    return read(path, known)


def _read_yaml(path: Path, known: Collection[str]) -> dict[str, Expectation]:
    findings = Findings()
    tree = findings.read(path)
    found = findings.model(ExpectationList, tree, ()) if tree is not None else None
    if tree is not None and found is not None:
        for key in found.points:
            if key not in known:
                node = tree.at(("points", key))
                findings.add(node, ("points", key), _unknown(key, known))
    findings.done(hint=HINT)
    assert found is not None
    general = parse_tolerance(str(found.tolerance))
    return {key: _expectation(value, general) for key, value in found.points.items()}


def _expectation(
    value: bool | float | str | PointExpectation,
    general: Tolerance,
) -> Expectation:
    if not isinstance(value, PointExpectation):
        return Expectation(_text(value), general)
    own = general if value.tolerance is None else parse_tolerance(str(value.tolerance))
    return Expectation(_text(value.expected), own, value.note)


def _text(value: bool | float | str) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _read_csv(path: Path, known: Collection[str]) -> dict[str, Expectation]:
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig") if len(data) <= MAX_FILE_BYTES else ""
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        problem = FileProblem(str(path), 0, 0, "", f"cannot be read: {reason}")
        raise FileProblemsError([problem], hint=HINT) from exc
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    problems: list[FileProblem] = []
    found: dict[str, Expectation] = {}
    try:
        header = [word.strip().lower() for word in next(rows, [])]
        if not {"point", "expected"} <= set(header) <= set(COLUMNS):
            wanted = f"expected the columns {', '.join(COLUMNS)}; the last two may be missing"
            raise FileProblemsError([FileProblem(str(path), 1, 1, "", wanted)], hint=HINT)
        for cells in rows:
            if any(cell.strip() for cell in cells):
                row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
                _take_row(
                    row, found, known, problems, FileProblem(str(path), rows.line_num, 1, "", "")
                )
    except csv.Error as exc:
        problems.append(FileProblem(str(path), rows.line_num, 1, "", f"not CSV: {exc}"))
    if problems:
        raise FileProblemsError(problems, hint=HINT)
    return found


def _take_row(
    row: Mapping[str, str],
    found: dict[str, Expectation],
    known: Collection[str],
    problems: list[FileProblem],
    place: FileProblem,
) -> None:
    def wrong(column: str, text: str) -> None:
        problems.append(FileProblem(place.file, place.line, 1, column, text))

    key, expected = row.get("point", ""), row.get("expected", "")
    if key not in known:
        wrong("point", _unknown(key, known))
    elif key in found:
        wrong("point", f"'{key}' stands twice")
    elif not expected:
        wrong("expected", "is empty")
    else:
        try:
            tolerance = parse_tolerance(row["tolerance"]) if row.get("tolerance") else None
        except (ValueError, ValidationError) as exc:
            wrong("tolerance", str(exc))
            return
        note = row.get("note", "")[:500]
        found[key] = Expectation(expected, tolerance or DEFAULT_TOLERANCE, note)


def _unknown(key: str, known: Collection[str]) -> str:
    return f"there is no point '{key}'{suggestion(key, known)}"
