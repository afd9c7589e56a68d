"""What stands in a file of points, whichever kind of sheet it is."""

from pathlib import Path

from tidegate.profiles.importing import with_protocol_addresses
from tidegate.profiles.references import Counting
from tidegate.profiles.sheet import Sheet, read_sheet


def open_points(path: Path, tab: str | None, counting: Counting) -> Sheet:
    """Read a sheet of points as rows whose columns are fields of points.

    Raises:
        FileProblemsError: the file, or cells of it, cannot be read.

    """
    return with_protocol_addresses(read_sheet(path, tab), counting)
