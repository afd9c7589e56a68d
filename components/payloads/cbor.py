"""CBOR from outside (RFC 8949): plain data only, within limits; pure.

cbor2 would also make dates, regular expressions, cyclic structures and numbers of a million digits
for whoever sends the right tag. A device has no use for those, so only decimal fractions pass.
"""

from typing import Any

import cbor2

from components.payloads.errors import PayloadError

MAX_BYTES = 65_536
MAX_DEPTH = 8
DECIMAL_FRACTION = 4
"""The one tag that a measured value may have (RFC 8949 3.4.4)."""

_TEXT_OR_BYTES = (2, 3)
_TAG = 6
_INDEFINITE = 31
_ONE_BYTE = 24


class CborError(PayloadError):
    """The bytes are no CBOR, or more than a payload may hold."""


def decode_cbor(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Decode one item that fills all of ``data``.

    Raises:
        CborError: it is no CBOR, too long, too deep, or holds a tag.

    """
    if len(data) > max_bytes:
        msg = f"{len(data)} bytes are more than the {max_bytes} that are taken"
        raise CborError(msg)
    _refuse_tags(data)
    try:
        return cbor2.loads(data, max_depth=max_depth, allow_duplicate_keys=False)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as exc:
        msg = f"no CBOR: {exc}"
        raise CborError(msg) from exc


def _refuse_tags(data: bytes) -> None:
    """Walk over the heads of all items, however nested: they lie one behind the other."""
    place = 0
    while place < len(data):
        kind, short = data[place] >> 5, data[place] & 0x1F
        place += 1
        argument = short
        if _ONE_BYTE <= short < _ONE_BYTE + 4:
            size = 1 << (short - _ONE_BYTE)
            argument = int.from_bytes(data[place : place + size], "big")
            place += size
        if kind == _TAG and argument != DECIMAL_FRACTION:
            msg = f"tag {argument} has no place in a payload"
            raise CborError(msg)
        if kind in _TEXT_OR_BYTES and short != _INDEFINITE:
            place += argument
