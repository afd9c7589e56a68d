"""A sheet into a device profile: all errors at once, what would change, and only then the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.driver import Driver
from edge_runtime.durable import write_file
from edge_runtime.errors import SettingsError
from edge_runtime.problems import FileProblem, FileProblemsError
from edge_runtime.settings import FindDriver
from tidegate.profiles.checking import read_profile
from tidegate.profiles.columns import ALIASES, point_type, read_points
from tidegate.profiles.comparing import Change, compare_fields, compare_points
from tidegate.profiles.references import Counting, protocol_address
from tidegate.profiles.sheet import Row, Sheet, column_name
from tidegate.profiles.writing import plain_fields, point_fields, profile_text

HINT = "nothing was written; mend the sheet and import it again"
MODE = 0o644
"""A profile holds no secret."""


@dataclass(frozen=True, slots=True)
class Import:
    """What importing a sheet comes to."""

    file: Path
    text: str
    points: int
    changes: tuple[Change, ...]
    head: dict[str, tuple[Any, Any]]
    """Fields of the head that change."""
    new: bool

    @property
    def changes_nothing(self) -> bool:
        """Whether the profile says all of it already."""
        return not self.new and not self.changes and not self.head


def plan_import(
    sheet: Sheet, file: Path, head: Mapping[str, Any], find_driver: FindDriver
) -> Import:
    """Read the points of a sheet and compare them with the profile in ``file``, if there is one.

    ``head`` holds the fields of the profile's head that are given; the others stay as they are.

    Raises:
        FileProblemsError: a :class:`SettingsError` with every wrong cell.

    """
    known = read_profile(file, find_driver) if file.exists() else None
    before = known.fields if known else {}
    fields = {**before, "profile": file.stem, **head}
    missing = [
        key for key in ("protocol", "title", "vendor", "model", "document") if key not in fields
    ]
    if missing:
        options = " ".join(f"--{key}" for key in missing)
        msg = f"a new profile needs {options}"
        raise SettingsError(msg, hint="Only a profile that is there already has them.")
    fields.setdefault("evidence", "from documentation")
    points = _points(sheet, find_driver(str(fields["protocol"])))
    after = [plain_fields(point_fields(point)) for point in points]
    old = [plain_fields(point_fields(point)) for point in known.points] if known else []
    return Import(
        file=file,
        text=profile_text(fields, after),
        points=len(points),
        changes=tuple(compare_points(old, after)),
        head=compare_fields(before, fields),
        new=known is None,
    )


def write_import(planned: Import) -> Path | None:
    """Write the profile; gives where the one before it is kept, None where there was none."""
    backup = None
    planned.file.parent.mkdir(parents=True, exist_ok=True)
    if not planned.new:
        backup = planned.file.with_suffix(".yaml.before")
        write_file(backup, planned.file.read_bytes(), mode=MODE)
    write_file(planned.file, planned.text.encode("utf-8"), mode=MODE)
    return backup


def _points(sheet: Sheet, driver: Driver) -> list[Any]:
    points, problems = read_points(sheet, point_type(driver))
    if problems:
        raise FileProblemsError(sorted(problems, key=lambda p: p.line), hint=HINT)
    return list(points)


def with_protocol_addresses(sheet: Sheet, counting: Counting) -> Sheet:
    """Turn the column ``address`` of a sheet of Modbus registers into the protocol's counting.

    Raises:
        FileProblemsError: cells that are no such address, or a table that contradicts.

    """
    if counting is Counting.FROM_0:
        return sheet
    names = [_field(cell) for cell in sheet.heading.cells]
    if "address" not in names:
        return sheet
    at = names.index("address")
    table_at = names.index("table") if "table" in names else len(names)
    problems: list[FileProblem] = []
    rows = []
    for row in sheet.rows:
        try:
            rows.append(_counted(row, at, table_at, counting))
        except ValueError as exc:
            place = f"{column_name(at)}{row.number} address"
            problems.append(FileProblem(sheet.file, row.number, at + 1, place, str(exc)))
    if problems:
        raise FileProblemsError(problems, hint=HINT)
    heading = sheet.heading
    if counting is Counting.REFERENCES and "table" not in names:
        heading = Row(heading.number, (*heading.cells, "table"))
    return Sheet(sheet.file, heading, tuple(rows), sheet.decimal_comma)


def _counted(row: Row, at: int, table_at: int, counting: Counting) -> Row:
    cells = [*row.cells, *[""] * (max(at, table_at) + 1 - len(row.cells))]
    if not cells[at]:
        return row
    table, cells[at] = protocol_address(cells[at], counting)
    if table is not None:
        if cells[table_at] not in {"", table}:
            msg = f"the reference is of the table '{table}', the row says '{cells[table_at]}'"
            raise ValueError(msg)
        cells[table_at] = table
    return Row(row.number, tuple(cells))


def _field(heading: str) -> str:
    name = heading.lower().replace(" ", "_")
    return ALIASES.get(name, name)
