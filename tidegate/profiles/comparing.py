"""What an import would change in a profile; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class Change(msgspec.Struct, frozen=True):
    """One point, or one field of the profile's head, that changes."""

    what: str
    """``added``, ``removed`` or ``changed``."""
    name: str
    fields: dict[str, tuple[Any, Any]] = {}
    """Before and after of each field that changes."""


def compare_points(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> list[Change]:
    """Compare two lists of points by name, in the order of the new one, what is gone last."""
    old = {point["name"]: point for point in before}
    new = {point["name"]: point for point in after}
    changes = [
        Change("changed", name, fields) if name in old else Change("added", name)
        for name, point in new.items()
        if (fields := compare_fields(old.get(name, {}), point))
    ]
    return changes + [Change("removed", name) for name in old if name not in new]


def compare_fields(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Give the fields that differ; None for one that is not there."""
    keys = dict.fromkeys((*before, *after))
    pairs = {key: (before.get(key), after.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
