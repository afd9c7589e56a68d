"""Chunks as PostgreSQL's binary COPY takes them, laid out by numpy instead of value by value.

A row is a 16-bit number of fields, then for each field a 32-bit length (-1 for NULL) and the bytes.
An array is: dimensions, has-nulls flag, element type, length, lower bound, then for each element a
32-bit length and the bytes. All big-endian. (PostgreSQL documentation, COPY, "Binary Format";
``array_send`` in ``src/backend/utils/adt/arrayfuncs.c``.)
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cloud_api.telemetry.columns import Integers
from cloud_api.telemetry.gather import Gathered, starts_of_chunks

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
NULL = struct.pack(">i", -1)
POSTGRES_EPOCH_US = 946_684_800_000_000
"""1 January 2000, from which PostgreSQL counts, in µs since 1970."""
INT2_OID, INT8_OID, TEXT_OID, FLOAT8_OID = 21, 20, 25, 701
ARRAY_HEADER_BYTES = 20

_ARRAY = [("bytes", ">i4"), ("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">i4"), ("items", ">i4"), ("lower", ">i4")]  # fmt: skip
_HEAD = np.dtype([
    ("fields", ">i2"), ("b1", ">i4"), ("tenant", "V16"), ("b2", ">i4"), ("point", ">i8"),
    ("b3", ">i4"), ("first", ">i8"), ("b4", ">i4"), ("last", ">i8"), ("b5", ">i4"),
    ("count", ">i4"), ("times", _ARRAY),
])  # fmt: skip
_VALUES = np.dtype(_ARRAY)
TIME = np.dtype([("bytes", ">i4"), ("item", ">i8")])
VALUE = np.dtype([("bytes", ">i4"), ("item", ">f8")])
QUALITY = np.dtype([("bytes", ">i4"), ("item", ">i2")])


def copy_bytes(tenant: UUID, gathered: Gathered) -> bytes:
    """Lay the chunks of an upload out for ``COPY sample_chunk``.

    Fields in order: tenant_id, point_id, first, last, count, times, values, qualities, reasons,
    texts.
    """
    return b"".join([SIGNATURE, *_rows(tenant, gathered), TRAILER])


def _rows(tenant: UUID, gathered: Gathered) -> Iterator[bytes | memoryview]:
    starts = starts_of_chunks(gathered)
    ends = np.append(starts[1:], gathered.times.size)
    counts = ends - starts
    heads = memoryview(_heads(tenant, gathered, starts, counts))
    headers = memoryview(_array_headers(FLOAT8_OID, VALUE.itemsize, counts).tobytes())
    times = memoryview(_elements(gathered.times, TIME))
    values = memoryview(_elements(gathered.values, VALUE))
    plain = _plain(gathered, starts)
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        yield heads[i * _HEAD.itemsize : (i + 1) * _HEAD.itemsize]
        yield times[start * TIME.itemsize : end * TIME.itemsize]
        yield headers[i * _VALUES.itemsize : (i + 1) * _VALUES.itemsize]
        yield values[start * VALUE.itemsize : end * VALUE.itemsize]
        yield NULL * 3 if plain[i] else _extras(gathered, start, end)


def _plain(gathered: Gathered, starts: Integers) -> list[bool]:
    """Tell which chunks are all good and no text."""
    special = gathered.qualities != 0
    if gathered.texts is not None:
        special |= np.array([text is not None for text in gathered.texts.tolist()])
    return (~np.logical_or.reduceat(special, starts)).tolist()  # type: ignore[no-any-return]


def _heads(tenant: UUID, gathered: Gathered, starts: Integers, counts: Integers) -> bytes:
    heads = np.zeros(starts.size, _HEAD)
    heads["fields"], heads["b1"], heads["tenant"] = 10, 16, np.void(tenant.bytes)
    heads["b2"] = heads["b3"] = heads["b4"] = 8
    heads["b5"], heads["count"] = 4, counts
    heads["point"] = np.array(gathered.ids)[gathered.points[starts]]
    heads["first"] = gathered.times[starts] - POSTGRES_EPOCH_US
    heads["last"] = gathered.times[starts + counts - 1] - POSTGRES_EPOCH_US
    heads["times"] = _array_headers(INT8_OID, TIME.itemsize, counts)
    return heads.tobytes()


def _array_headers(oid: int, element_bytes: int, counts: Integers) -> NDArray[np.void]:
    headers = np.zeros(counts.size, _VALUES)
    headers["bytes"] = ARRAY_HEADER_BYTES + element_bytes * counts
    headers["dimensions"] = headers["lower"] = 1
    headers["type"], headers["items"] = oid, counts
    return headers


def _elements(items: NDArray[Any], layout: np.dtype[Any]) -> bytes:
    elements = np.empty(items.size, layout)
    elements["bytes"], elements["item"] = layout["item"].itemsize, items
    return elements.tobytes()


def _extras(gathered: Gathered, start: int, end: int) -> bytes:
    """Qualities, reasons and texts of one chunk, each NULL when it says nothing."""
    qualities = gathered.qualities[start:end]
    reasons = [gathered.verdicts[v][1] or None for v in gathered.verdict[start:end].tolist()]
    texts = [] if gathered.texts is None else gathered.texts[start:end].tolist()
    header = _array_headers(INT2_OID, QUALITY.itemsize, np.array([end - start]))
    quality = header.tobytes() + _elements(qualities, QUALITY) if qualities.any() else NULL
    return quality + _text_array(reasons) + _text_array(texts)


def _text_array(items: Sequence[str | None]) -> bytes:
    if not any(item is not None for item in items):
        return NULL
    parts = [struct.pack(">iiiii", 1, 1, TEXT_OID, len(items), 1)]
    for item in items:
        raw = b"" if item is None else item.encode()
        parts.append(NULL if item is None else struct.pack(">i", len(raw)) + raw)
    body = b"".join(parts)
    return struct.pack(">i", len(body)) + body
