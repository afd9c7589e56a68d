"""What stands in a file of points, whichever kind of sheet it is."""

from dataclasses import dataclass
from pathlib import Path

from tidegate.profiles.ede import ede_sheet, is_ede, read_text
from tidegate.profiles.importing import with_protocol_addresses
from tidegate.profiles.references import Counting
from tidegate.profiles.sheet import Sheet, read_sheet


@dataclass(frozen=True, slots=True)
class Options:
    """How to read a sheet of points."""

    tab: str | None = None
    """Which sheet of an XLSX file."""
    counting: Counting = Counting.FROM_0
    device: int | None = None
    """Which device of an EDE file."""
    states: Path | None = None
    units: Path | None = None
    """Files of state texts and units beside an EDE file."""


def open_points(path: Path, options: Options = Options()) -> Sheet:
    """Read a sheet of points as rows whose columns are fields of points.

    Raises:
        FileProblemsError: the file, or cells of it, cannot be read.

    """
    text = read_text(path)
    if is_ede(text):
        return ede_sheet(path, text, options.device, options.states, options.units)
    return with_protocol_addresses(read_sheet(path, options.tab), options.counting)
