"""Points out of what a server says of its variables: name, kind, unit, limits, labels; pure."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from asyncua import ua

from components.opcua.browse import Variable
from components.opcua.limits import CURRENT_WRITE
from components.opcua.settings import Point
from components.opcua.units import to_ucum
from components.opcua.values import FLOATS, INTEGERS, T, plain, reading_of
from edge_runtime.model import PointKind, Reading

CURRENT_READ = 0b01
MAX_NAME = 63
MAX_LABELS = 256
TEXTS = frozenset({T.String, T.LocalizedText, T.DateTime, T.Guid, T.QualifiedName})


def propose(
    variables: Sequence[Variable], namespaces: Sequence[str]
) -> list[tuple[Mapping[str, Any], Reading]]:
    """Propose a point for each variable that holds one plain value, with its present reading."""
    taken: set[str] = set()
    proposed: list[tuple[Mapping[str, Any], Reading]] = []
    for variable in variables:
        kind = _kind(variable)
        if kind is None or not variable.access & CURRENT_READ:
            continue
        fields: dict[str, Any] = {
            "name": _name(variable.path, taken),
            **_fields(variable, kind, namespaces),
        }
        point = Point.model_validate(fields)
        proposed.append((fields, reading_of(point, variable.value)))
    return proposed


def labels_of(variable: Variable) -> dict[int, str]:
    """Give the texts of an enumeration."""
    texts = variable.properties.get("EnumStrings")
    if isinstance(texts, list):
        return {place: str(plain(text) or place) for place, text in enumerate(texts[:MAX_LABELS])}
    values = variable.properties.get("EnumValues")
    if isinstance(values, list):
        return {
            int(entry.Value): str(plain(entry.DisplayName) or entry.Value)
            for entry in values[:MAX_LABELS]
            if isinstance(entry, ua.EnumValueType)
        }
    return {}


def node_text(node: ua.NodeId, namespaces: Sequence[str]) -> str:
    """Write a node id with the URI of its namespace, which outlives a restart."""
    text = node.to_string()
    number = node.NamespaceIndex
    if not number or number >= len(namespaces) or ";" in namespaces[number]:
        return text
    return f"nsu={namespaces[number]};{text.partition(';')[2]}"


def _fields(variable: Variable, kind: PointKind, namespaces: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"node": node_text(variable.node, namespaces), "kind": kind.value}
    labels = labels_of(variable)
    if labels and kind is PointKind.INTEGER:
        return fields | {"kind": PointKind.ENUMERATION.value, "labels": labels}
    unit = variable.properties.get("EngineeringUnits")
    words = variable.description
    if isinstance(unit, ua.EUInformation):
        code = to_ucum(str(unit.NamespaceUri or ""), int(unit.UnitId))
        shown = str(plain(unit.DisplayName) or "")[:32]
        fields |= {"unit": code} if code else {}
        words = words if code or not shown else f"{words} [{shown}]".strip()
    if words:
        fields["description"] = words[:200]
    limits = variable.properties.get("EURange")
    if isinstance(limits, ua.Range) and _is_range(limits) and kind in _NUMBERS:
        fields |= {"minimum": float(limits.Low), "maximum": float(limits.High)}
    if variable.access & CURRENT_WRITE:
        fields["access"] = "read_write"
    return fields


_NUMBERS = frozenset({PointKind.FLOAT, PointKind.INTEGER})


def _is_range(limits: ua.Range) -> bool:
    low, high = limits.Low, limits.High
    return math.isfinite(low) and math.isfinite(high) and low < high


def _kind(variable: Variable) -> PointKind | None:
    held = variable.value.Value
    if held is None or held.Value is None or held.is_array:
        return None
    kind = held.VariantType
    if kind is T.Boolean:
        return PointKind.BOOLEAN
    if kind in FLOATS:
        return PointKind.FLOAT
    if kind in INTEGERS:
        return PointKind.INTEGER
    return PointKind.TEXT if kind in TEXTS else None


def _name(path: Sequence[str], taken: set[str]) -> str:
    """Name a point by the end of its path, as much of it as makes it unique."""
    for length in range(1, len(path) + 1):
        name = _slug("_".join(path[-length:]))
        if name not in taken:
            break
    stem, number = name, 2
    while name in taken:
        name = f"{stem[: MAX_NAME - 5]}_{number}"
        number += 1
    taken.add(name)
    return name


def _slug(text: str) -> str:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    plain_text = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")
    named = plain_text if plain_text[:1].isalpha() else f"p_{plain_text}"
    return named[:MAX_NAME].rstrip("_") or "point"
