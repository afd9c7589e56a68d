"""Integers and floats as byte planes: all first bytes, then all second bytes, and so on.

Readings change little, so the high bytes of their differences are nearly always zero. Laid out in
planes they form long runs that zstd folds to nothing.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate
from operator import sub

from cloud_sync.wire.errors import MessageInvalidError

WIDTH = 8
"""Bytes an item, little-endian: ``int64`` or ``float64``."""


def split(raw: bytes) -> bytes:
    """Lay ``n`` items of 8 bytes out as 8 planes of ``n`` bytes."""
    return b"".join([raw[i::WIDTH] for i in range(WIDTH)])


def join(planes: bytes) -> bytes:
    """Undo :func:`split`."""
    n, rest = divmod(len(planes), WIDTH)
    if rest:
        msg = f"a column of {len(planes)} bytes is not a whole number of {WIDTH}-byte items"
        raise MessageInvalidError(msg)
    raw = bytearray(len(planes))
    for i in range(WIDTH):
        raw[i::WIDTH] = planes[i * n : (i + 1) * n]
    return bytes(raw)


def pack_floats(values: Sequence[float]) -> bytes:
    """Pack floats as planes of ``float64``."""
    return split(struct.pack(f"<{len(values)}d", *values))


def unpack_floats(planes: bytes) -> tuple[float, ...]:
    """Undo :func:`pack_floats`."""
    return struct.unpack(f"<{len(planes) // WIDTH}d", join(planes))


def pack_deltas(values: Sequence[int]) -> bytes:
    """Pack integers as planes of the differences between neighbours, the first one to zero."""
    if not values:
        return b""
    deltas = [values[0], *map(sub, values[1:], values)]
    return split(struct.pack(f"<{len(deltas)}q", *deltas))


def unpack_deltas(planes: bytes) -> list[int]:
    """Undo :func:`pack_deltas`."""
    raw = join(planes)
    return list(accumulate(struct.unpack(f"<{len(raw) // WIDTH}q", raw)))
