"""A device profile as a sheet, which imports without a change."""

from typing import Any

from tidegate.profiles.checking import CheckedProfile
from tidegate.profiles.columns import fields_of, flatten, format_cell
from tidegate.profiles.writing import point_fields


def export_rows(profile: CheckedProfile) -> list[list[str]]:
    """Give the heading, and a row a point; only fields that a point uses have a column."""
    kind = type(profile.points[0])
    known = fields_of(kind)
    points: list[dict[str, Any]] = [flatten(point_fields(p), known) for p in profile.points]
    used = {name for point in points for name in point}
    columns = [name for name in known if name in used]
    return [columns, *([format_cell(point.get(name)) for name in columns] for point in points)]
