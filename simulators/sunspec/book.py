"""Lays SunSpec models out in registers, value by value.

Written apart from the driver on purpose, with no more in common than the models' definitions: each
is a check of the other.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

from simulators.modbus.image import put, put_text, words_of

MARKER = "SunS"
HEADER = 2
END = 0xFFFF
ABSENT = {
    "int16": 0x8000, "uint16": 0xFFFF, "count": 0, "acc16": 0, "enum16": 0xFFFF,
    "bitfield16": 0xFFFF, "sunssf": 0x8000, "pad": 0x8000, "int32": 0x80000000,
    "uint32": 0xFFFFFFFF, "acc32": 0, "enum32": 0xFFFFFFFF, "bitfield32": 0xFFFFFFFF,
    "ipaddr": 0, "int64": 1 << 63, "uint64": (1 << 64) - 1, "acc64": 0, "ipv6addr": 0,
    "float32": 0x7FC00000, "float64": 0x7FF8 << 48, "string": 0, "eui48": (1 << 48) - 1,
}  # fmt: skip
"""What says "not implemented", as a number over all registers."""
CODES = {
    "count": "uint16", "acc16": "uint16", "enum16": "uint16", "bitfield16": "uint16",
    "sunssf": "int16", "pad": "uint16", "acc32": "uint32", "enum32": "uint32",
    "bitfield32": "uint32", "acc64": "uint64",
}  # fmt: skip
Values = Mapping[str, float | str]


@lru_cache
def definition(model: int) -> Mapping[str, Any]:
    """Give the outermost group of a model."""
    path = resources.files("sunspec2").joinpath("models", "json", f"model_{model}.json")
    group: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["group"]
    return group


class Book:
    """The chain of models of one device, written from its base on."""

    def __init__(self, table: dict[int, int], base: int) -> None:
        self._table = table
        put_text(table, base, MARKER, 2)
        self._next = base + 2
        self.starts: dict[int, int] = {}
        """Address of the first register of each model."""

    def add(self, model: int, values: Values, groups: Sequence[Values] = ()) -> None:
        """Write a model; values are scaled by the factors among them; others are not implemented."""
        tree = definition(model)
        start = self._next
        self.starts[model] = start
        self._next = self._points(tree["points"], start, values, values)
        for inner in groups:
            self._next = self._points(tree["groups"][0]["points"], self._next, inner, values)
        put(self._table, start, "uint16", model)
        put(self._table, start + 1, "uint16", self._next - start - HEADER)

    def close(self) -> None:
        """Write the end."""
        put(self._table, self._next, "uint16", END)
        put(self._table, self._next + 1, "uint16", 0)

    def _points(
        self, points: Sequence[Mapping[str, Any]], address: int, values: Values, scales: Values
    ) -> int:
        for point in points:
            self._point(point, address, values.get(point["name"]), scales)
            address += point["size"]
        return address

    def _point(
        self, point: Mapping[str, Any], address: int, value: float | str | None, scales: Values
    ) -> None:
        kind, size = point["type"], point["size"]
        if value is None:
            number = ABSENT[kind]
            for i in range(size):
                self._table[address + i] = number >> 16 * (size - 1 - i) & 0xFFFF
        elif isinstance(value, str):
            put_text(self._table, address, value, size)
        else:
            factor = point.get("sf", 0)
            exponent = scales.get(factor, 0) if isinstance(factor, str) else factor
            scaled = value / 10.0 ** float(exponent)
            self._table.update(enumerate(words_of(CODES.get(kind, kind), scaled), start=address))


def address_of(model: int, field: str) -> int:
    """Give how far a field of the outermost group lies behind the start of its model."""
    address = 0
    for point in definition(model)["points"]:
        if point["name"] == field:
            return address
        address += point["size"]
    raise KeyError(field)
