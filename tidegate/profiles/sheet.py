"""A sheet of a CSV or XLSX file as rows of text, each cell with its place.

Bounded before it is parsed: size, rows, columns, length of a cell, and what an XLSX unfolds into.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.problems import FileProblem, FileProblemsError

MAX_FILE_BYTES = 8 << 20
MAX_UNFOLDED_BYTES = 64 << 20
"""What an XLSX may hold when it is unpacked."""
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 50_001, 64, 2_000
DELIMITERS = ",;\t|"
SHEETS_HINT = "Install tidegate[sheets], or save the sheet as CSV."
EXACT = 1 << 53
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First letters that a spreadsheet takes for a formula; texts of ours get an apostrophe before."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number from 1, and its cells as text without blanks around."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A heading and what stands below it; rows without any text are left out."""

    file: str
    heading: Row
    rows: tuple[Row, ...]
    decimal_comma: bool = False
    """Cells are parted by semicolons, as where a comma parts whole from broken."""


def column_name(index: int) -> str:
    """Name a column as spreadsheets do: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def read_sheet(path: Path, sheet: str | None = None) -> Sheet:
    """Read a CSV file, or a sheet (the first one by default) of an XLSX file.

    Raises:
        FileProblemsError: a :class:`~edge_runtime.errors.SettingsError` that says what is wrong.

    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as exc:
        raise _problem(path, f"cannot be read: {exc.strerror}") from exc
    if size > MAX_FILE_BYTES:
        raise _problem(path, f"has {size} bytes; at most {MAX_FILE_BYTES} are read")
    if data.startswith(b"PK"):
        return _sheet(path, _xlsx_rows(path, data, sheet), decimal_comma=False)
    text = decode_text(data)
    if "\0" in text:
        raise _problem(path, "is neither CSV nor XLSX; an old .xls must be saved as .xlsx or .csv")
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return _sheet(path, _csv_rows(path, reader), decimal_comma=delimiter == ";")


def decode_text(data: bytes) -> str:
    """Decode as UTF-8, with or without a mark, or as what Windows wrote."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as CSV, safe to open in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8")


def write_xlsx(rows: Iterable[Sequence[str]], title: str) -> bytes:
    """Write rows as one sheet; numbers become numbers.

    Raises:
        FileProblemsError: the library for it is not installed.

    """
    from openpyxl import Workbook  # noqa: PLC0415 - an extra; loaded when it is used

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    for row in rows:
        sheet.append([_number(cell) for cell in row])
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) and not _is_number(cell) else cell


def _number(cell: str) -> float | int | str | None:
    if not _is_number(cell):
        return _guarded(cell) or None
    try:
        whole = int(cell)
    except ValueError:
        return float(cell)
    return whole if abs(whole) < EXACT else cell  # a spreadsheet's numbers are floats


def _is_number(cell: str) -> bool:
    try:
        return abs(float(cell)) < float("inf")
    except ValueError:
        return False


def _delimiter(text: str) -> str:
    """Take what parts the heading into the most cells."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=heading.count)


def _csv_rows(path: Path, reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as exc:
        line = getattr(reader, "line_num", 0)
        raise _problem(path, f"not CSV: {exc}", line) from exc


def _xlsx_rows(path: Path, data: bytes, name: str | None) -> Iterator[list[str]]:
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra; loaded when it is used
        from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415
    except ModuleNotFoundError as exc:
        raise _problem(path, f"needs the Python package 'openpyxl'. {SHEETS_HINT}") from exc
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unfolded = sum(entry.file_size for entry in archive.infolist())
        if unfolded > MAX_UNFOLDED_BYTES:
            raise _problem(path, f"unfolds into {unfolded} bytes; at most {MAX_UNFOLDED_BYTES}")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        if name is not None and name not in book.sheetnames:
            raise _problem(path, f"has no sheet '{name}'; there are: {', '.join(book.sheetnames)}")
        sheet = book[name] if name is not None else book.worksheets[0]
        for row in sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True):
            yield [_text(cell) for cell in row]
        book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as exc:
        raise _problem(path, f"not an XLSX file: {exc}") from exc


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _sheet(path: Path, rows: Iterable[Sequence[str]], *, decimal_comma: bool) -> Sheet:
    kept: list[Row] = []
    for number, cells in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise _problem(path, f"has more than {MAX_ROWS - 1} rows below the heading", number)
        stripped = tuple(cell.strip().removeprefix("'") for cell in cells)
        if len(stripped) > MAX_COLUMNS and any(stripped[MAX_COLUMNS:]):
            raise _problem(path, f"has more than {MAX_COLUMNS} columns", number)
        for index, cell in enumerate(stripped):
            if len(cell) > MAX_CELL:
                text = f"{column_name(index)}{number} has {len(cell)} letters; at most {MAX_CELL}"
                raise _problem(path, text, number)
        if any(stripped):
            kept.append(Row(number, stripped))
    if not kept:
        raise _problem(path, "is empty; expected a heading with the names of fields")
    return Sheet(str(path), kept[0], tuple(kept[1:]), decimal_comma)


def _problem(path: Path, text: str, line: int = 0) -> FileProblemsError:
    return FileProblemsError([FileProblem(str(path), line, 0, "", text)])
