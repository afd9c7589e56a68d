"""Arrays as PostgreSQL sends them in binary, read by numpy instead of value by value.

The layout is that of :mod:`cloud_api.telemetry.chunks`, without the length in front.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from cloud_api.telemetry.chunks import ARRAY_HEADER_BYTES, QUALITY, TIME, VALUE
from cloud_api.telemetry.history import Series

ARRAY_OIDS = (1005, 1016, 1022)
"""``smallint[]``, ``bigint[]`` and ``double precision[]``."""
Chunk = tuple[int, bytes, bytes, bytes | None]
"""Count, times, values and qualities of a chunk, the arrays as they came."""


class RawLoader(Loader):
    """Leaves a value as the bytes that PostgreSQL sent."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        """Copy the bytes out of the result."""
        return bytes(data)


def series_of(chunks: list[Chunk]) -> Series:
    """Join the chunks of one point."""
    times, values, qualities = [], [], []
    for count, time, value, quality in chunks:
        times.append(items_of(time, TIME))
        values.append(items_of(value, VALUE))
        qualities.append(
            np.zeros(count, np.int64) if quality is None else items_of(quality, QUALITY)
        )
    return Series(
        _joined(times, np.int64), _joined(values, np.float64), _joined(qualities, np.int64)
    )


def items_of(raw: bytes, layout: np.dtype[Any]) -> NDArray[Any]:
    """Give the elements of an array without nulls; ``layout`` is that of one element."""
    return np.frombuffer(raw, layout, offset=ARRAY_HEADER_BYTES)["item"]


def _joined(parts: list[NDArray[Any]], kind: type[np.int64 | np.float64]) -> Any:
    return np.concatenate(parts).astype(kind) if parts else np.empty(0, kind)
