"""What bytes mean in each of the four orders; pure.

The letters are the bytes of a 32-bit value as they came, A the most significant of the value: what
is called CDAB came with the low register first. 64-bit values follow the same pattern.
"""

import math
import struct

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
CODES = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
"""Number types by the names that settings use, and their letters in :mod:`struct`."""
REGISTER_BYTES = 2

Number = int | float


def size_of(kind: str) -> int:
    """Give the bytes of a number type."""
    return struct.calcsize(f">{CODES[kind]}")


def orders_of(kind: str) -> tuple[str, ...]:
    """Give the orders that differ: within one register only its two bytes can be turned round."""
    return ORDERS if size_of(kind) > REGISTER_BYTES else ("ABCD", "BADC")


def most_significant_first(data: bytes, order: str) -> bytes:
    """Bring bytes that came in ``order`` into the order A B C D."""
    registers = [data[i : i + REGISTER_BYTES] for i in range(0, len(data), REGISTER_BYTES)]
    if order in {"CDAB", "DCBA"}:
        registers.reverse()
    if order in {"BADC", "DCBA"}:
        registers = [register[::-1] for register in registers]
    return b"".join(registers)


def number_in(data: bytes, kind: str, order: str) -> Number | None:
    """Give the number that bytes hold; None where they are none, or not as many as the type has."""
    if kind not in CODES or len(data) != size_of(kind):
        return None
    (value,) = struct.unpack(f">{CODES[kind]}", most_significant_first(data, order))
    number: Number = value
    return number if math.isfinite(number) else None


def in_every_order(data: bytes, kind: str) -> dict[str, Number | None]:
    """Give the number in each of the four orders; nothing for what is no number."""
    if kind not in CODES or len(data) != size_of(kind):
        return {}
    return {order: number_in(data, kind, order) for order in ORDERS}
