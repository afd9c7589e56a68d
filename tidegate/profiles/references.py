"""Modbus addresses as manuals write them into those of the protocol; pure.

Manuals count registers from 1, or write references: the first digit names the table and the rest
counts from 1, so that 40001 or 400001 is address 0 of the holding registers. (A convention of
Modicon's, no part of the standard: application 4.4 counts from 0.)
"""

from enum import StrEnum

TABLES = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}
SHORT, LONG = 5, 6
"""Digits of a reference with the table's digit."""


class Counting(StrEnum):
    """How the addresses of a sheet are counted."""

    FROM_0 = "from-0"
    """As the protocol does."""
    FROM_1 = "from-1"
    """Register 1 is address 0."""
    REFERENCES = "references"
    """40001 is address 0 of the table ``holding``."""


def protocol_address(text: str, counting: Counting) -> tuple[str | None, str]:
    """Give the table, where the text names it, and the address that the protocol uses.

    Raises:
        ValueError: the text does not fit the counting.

    """
    if counting is Counting.FROM_0:
        return None, text
    if not text.isascii() or not text.isdigit():
        msg = f"found '{text}'; expected a number"
        raise ValueError(msg)
    if counting is Counting.FROM_1:
        if int(text) == 0:
            msg = "found 0, but addresses count from 1 here; leave out '--addresses from-1'"
            raise ValueError(msg)
        return None, str(int(text) - 1)
    digits = text.zfill(SHORT)
    if len(digits) not in {SHORT, LONG} or digits[0] not in TABLES or int(digits[1:]) == 0:
        msg = (
            f"found '{text}'; expected a reference of 5 or 6 digits that begins with "
            "0 (coil), 1 (discrete input), 3 (input register) or 4 (holding register), as 40001"
        )
        raise ValueError(msg)
    return TABLES[digits[0]], str(int(digits[1:]) - 1)
