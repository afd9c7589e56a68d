"""An EDE file of a BACnet site as a sheet of points, one device of it."""

from pathlib import Path

from components.bacnet.ede import COLUMNS, Ede, read_ede
from edge_runtime.errors import SettingsError
from edge_runtime.problems import FileProblem, FileProblemsError
from tidegate.profiles.columns import flatten, format_cell
from tidegate.profiles.sheet import MAX_FILE_BYTES, Row, Sheet, column_name, decode_text

MARKS = ("PROJECT_NAME", "VERSION_OF_REFERENCEFILE", COLUMNS[1])
"""One of them stands in the first rows of every EDE file."""
HEAD_ROWS = 12
HINT = "nothing was written; mend the file, or ask for it to be exported again"


def is_ede(text: str) -> bool:
    """Tell whether a text is an EDE file."""
    head = "\n".join(text.splitlines()[:HEAD_ROWS]).lower()
    return any(mark.lower() in head for mark in MARKS)


def read_text(path: Path) -> str:
    """Read a file that people exported; empty for one that is no text or too large for us."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as exc:
        problem = FileProblem(str(path), 0, 0, "", f"cannot be read: {exc.strerror}")
        raise FileProblemsError([problem]) from exc
    return "" if data.startswith(b"PK") else decode_text(data)


def ede_sheet(
    path: Path, text: str, device: int | None, states: Path | None, units: Path | None
) -> Sheet:
    """Read the points of one device of an EDE file.

    Raises:
        FileProblemsError: every wrong cell.
        SettingsError: the file has several devices and none, or another, was chosen.

    """
    ede = read_ede(
        text,
        state_texts=read_text(states) if states else "",
        units=read_text(units) if units else "",
    )
    if ede.problems:
        raise FileProblemsError([_problem(path, *problem) for problem in ede.problems], hint=HINT)
    points = ede.devices[_chosen(path, ede, device)]
    flat = [flatten(point, point) for point in points]
    heading = tuple(dict.fromkeys(key for point in flat for key in point))
    rows = [
        Row(number, tuple(format_cell(point.get(key)) for key in heading))
        for number, point in enumerate(flat, start=2)
    ]
    return Sheet(str(path), Row(1, heading), tuple(rows))


def _chosen(path: Path, ede: Ede, device: int | None) -> int:
    known = ", ".join(map(str, ede.devices)) or "none"
    if device is not None and device in ede.devices:
        return device
    if device is None and len(ede.devices) == 1:
        [only] = ede.devices
        return only
    asked = f"no device {device}" if device is not None else f"{len(ede.devices)} devices"
    msg = f"{path} has {asked}; there are: {known}"
    raise SettingsError(msg, hint="Choose one with --device; each becomes a profile of its own.")


def _problem(path: Path, row: int, column: int, text: str) -> FileProblem:
    cell = f"{column_name(column - 1)}{row}" if column else f"row {row}"
    name = COLUMNS[column - 1] if 0 < column <= len(COLUMNS) else ""
    return FileProblem(str(path), row, column, f"{cell} {name}".strip(), text)
