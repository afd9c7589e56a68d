"""The four tables of a simulated device, filled value by value.

Written apart from the driver's decoder on purpose: each is a check of the other.
"""

import struct
from dataclasses import dataclass, field

_CODES = {
    "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float32": "f", "float64": "d",
}  # fmt: skip
_WORD_MAX = 0xFFFF


@dataclass
class Image:
    """Registers and bits by address, counted from 0."""

    holding: dict[int, int] = field(default_factory=dict)
    inputs: dict[int, int] = field(default_factory=dict)
    coils: dict[int, bool] = field(default_factory=dict)
    discretes: dict[int, bool] = field(default_factory=dict)


def words_of(kind: str, value: float, order: str = "ABCD") -> list[int]:
    """Lay a number out in registers, as the letters say where its bytes go."""
    raw = struct.pack(f">{_CODES[kind]}", value if kind.startswith("float") else round(value))
    words = [raw[i : i + 2] for i in range(0, len(raw), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


def put(table: dict[int, int], address: int, kind: str, value: float, order: str = "ABCD") -> None:
    """Write a number at an address; unsigned 16-bit values stop at their limits."""
    if kind == "uint16":
        value = min(max(value, 0), _WORD_MAX)
    table.update(enumerate(words_of(kind, value, order), start=address))


def put_text(table: dict[int, int], address: int, text: str, registers: int) -> None:
    """Write a text, filled up with NUL."""
    raw = text.encode("ascii").ljust(2 * registers, b"\0")
    for i in range(registers):
        table[address + i] = int.from_bytes(raw[2 * i : 2 * i + 2], "big")
