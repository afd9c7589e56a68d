"""A device profile as the YAML that people read: the head, then a line a point."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from edge_runtime.model import Point

HEAD = ("profile", "title", "vendor", "model", "protocol", "document", "evidence")
WIDTH = 1 << 20
"""No line is folded: a point stays on one."""


def profile_text(head: Mapping[str, Any], points: Iterable[Mapping[str, Any]]) -> str:
    """Write a profile; fields of the head that are not known to it come after those that are."""
    known = [key for key in HEAD if key in head]
    rest = [key for key in head if key not in HEAD and key != "points"]
    lines = [_block({key: head[key]}) for key in (*known, *rest)]
    lines.append("points:\n")
    lines += [f"  - {flow(point)}\n" for point in points]
    return "".join(lines)


def point_fields(point: Point) -> dict[str, Any]:
    """Give the fields of a point that differ from their defaults, the name first."""
    fields = point.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    return {"name": point.name, **fields}


def plain_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Make whole numbers of floats that are whole, as people write them."""
    return {key: _plain(value) for key, value in fields.items()}


def flow(value: Any) -> str:
    """Write a value on one line."""
    text = yaml.safe_dump(
        _plain(value), default_flow_style=True, sort_keys=False, width=WIDTH, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _block(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(
        _plain(value), default_flow_style=False, sort_keys=False, width=WIDTH, allow_unicode=True
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _key(key: Any) -> Any:
    """Labels have numbers for keys; JSON made texts of them."""
    return int(key) if isinstance(key, str) and key.lstrip("-").isdigit() else key
