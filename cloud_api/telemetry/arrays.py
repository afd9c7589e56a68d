"""Arrays to and from PostgreSQL in binary, by numpy instead of value by value.

The layout is that of :mod:`cloud_api.telemetry.chunks`, without the length in front.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

from cloud_api.telemetry.chunks import (
    ARRAY_HEADER_BYTES,
    FLOAT8_OID,
    INT2_OID,
    INT8_OID,
    QUALITY,
    TIME,
    VALUE,
    array_bytes,
)
from cloud_api.telemetry.columns import Floats, Integers
from cloud_api.telemetry.history import Series

INT2_ARRAY_OID, INT8_ARRAY_OID, FLOAT8_ARRAY_OID = ARRAY_OIDS = (1005, 1016, 1022)
LENGTH_BYTES = 4
Chunk = tuple[int, bytes, bytes, bytes | None]
"""Count, times, values and qualities of a chunk, the arrays as they came."""


@dataclass(frozen=True, slots=True, eq=False)
class Bigints:
    """A parameter of type ``bigint[]``."""

    items: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Smallints:
    """A parameter of type ``smallint[]``."""

    items: NDArray[np.int16] | Integers


@dataclass(frozen=True, slots=True, eq=False)
class Doubles:
    """A parameter of type ``double precision[]``."""

    items: Floats


class BigintsDumper(Dumper):
    """Sends :class:`Bigints`."""

    format = Format.BINARY
    oid = INT8_ARRAY_OID

    def dump(self, obj: Bigints) -> Buffer:
        """Lay the array out."""
        return array_bytes(INT8_OID, TIME, obj.items)[LENGTH_BYTES:]


class SmallintsDumper(Dumper):
    """Sends :class:`Smallints`."""

    format = Format.BINARY
    oid = INT2_ARRAY_OID

    def dump(self, obj: Smallints) -> Buffer:
        """Lay the array out."""
        return array_bytes(INT2_OID, QUALITY, obj.items)[LENGTH_BYTES:]


class DoublesDumper(Dumper):
    """Sends :class:`Doubles`."""

    format = Format.BINARY
    oid = FLOAT8_ARRAY_OID

    def dump(self, obj: Doubles) -> Buffer:
        """Lay the array out."""
        return array_bytes(FLOAT8_OID, VALUE, obj.items)[LENGTH_BYTES:]


psycopg.adapters.register_dumper(Bigints, BigintsDumper)
psycopg.adapters.register_dumper(Smallints, SmallintsDumper)
psycopg.adapters.register_dumper(Doubles, DoublesDumper)


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
