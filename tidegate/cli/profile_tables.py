"""Profiles, and what an import changes, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from tidegate.cli.tables import new_table, open_console
from tidegate.profiles.importing import Import
from tidegate.profiles.listing import ListedProfile

SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def profiles_table(profiles: Sequence[ListedProfile]) -> None:
    """Print a line a profile."""
    table = new_table("profile", "protocol", "product", "points>", "evidence")
    for p in profiles:
        product = f"{p.vendor} {p.model}: {p.title}"
        table.add_row(p.name, p.protocol, product, str(p.points), p.problem or p.evidence)
    open_console().print(table)


def import_table(planned: Import) -> None:
    """Print what an import changes."""
    console = open_console()
    if planned.changes_nothing:
        console.print(f"{planned.file} says all of it already: nothing changes")
        return
    for key, (before, after) in ({} if planned.new else planned.head).items():
        console.print(f"~ {key}: {_shown(before)} → {_shown(after)}", markup=False)
    for change in planned.changes:
        fields = ", ".join(
            f"{key} {_shown(before)} → {_shown(after)}"
            for key, (before, after) in change.fields.items()
        )
        text = f"{SIGNS[change.what]} {change.name}{': ' + fields if fields else ''}"
        console.print(text, markup=False)
    counts = [f"{sum(c.what == w for c in planned.changes)} {w}" for w in SIGNS]
    console.print(f"{planned.points} points: {', '.join(counts)}")


def import_report(planned: Import) -> dict[str, Any]:
    """Give the same for ``--json``."""
    return {
        "file": str(planned.file),
        "new": planned.new,
        "points": planned.points,
        "head": planned.head,
        "changes": planned.changes,
    }


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
