"""Chunks as PostgreSQL's binary COPY takes them, laid out by numpy instead of value by value.

A row is a 16-bit number of fields, then for each field a 32-bit length (-1 for NULL) and the bytes.
An array is: dimensions, has-nulls flag, element type, length, lower bound, then for each element a
32-bit length and the bytes. All big-endian. (PostgreSQL documentation, COPY, "Binary Format";
``array_send`` in ``src/backend/utils/adt/arrayfuncs.c``.)
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cloud_api.telemetry.columns import Integers
from cloud_api.telemetry.gather import Gathered, starts_of_chunks
from cloud_sync.wire.quality import Quality, Reason

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
NULL = struct.pack(">i", -1)
POSTGRES_EPOCH_US = 946_684_800_000_000
"""1 January 2000, from which PostgreSQL counts, in µs since 1970."""
INT2_OID, INT8_OID, TEXT_OID, FLOAT8_OID = 21, 20, 25, 701
ARRAY_HEADER_BYTES = 20
FIELDS = 10
NOTHING_MORE = NULL * 3
"""Qualities, reasons and texts of a chunk of good numbers."""

ARRAY = np.dtype([
    ("bytes", ">i4"), ("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">i4"), ("items", ">i4"),
    ("lower", ">i4"),
])  # fmt: skip
TIME = np.dtype([("bytes", ">i4"), ("item", ">i8")])
VALUE = np.dtype([("bytes", ">i4"), ("item", ">f8")])
QUALITY = np.dtype([("bytes", ">i4"), ("item", ">i2")])


def copy_bytes(tenant: UUID, gathered: Gathered, boot: str | None = None) -> bytes:
    """Lay the chunks of an upload out for ``COPY sample_chunk``.

    Fields in order: tenant_id, point_id, first, last, count, times, values, qualities, reasons,
    texts; with ``boot`` also clock and boot, for times in doubt.
    """
    mark = b"" if boot is None else _mark(boot)
    starts = starts_of_chunks(gathered)
    counts = np.diff(starts, append=gathered.times.size)
    special = _special(gathered, starts)
    parts = [SIGNATURE]
    for count in np.unique(counts).tolist():
        alike = counts == count
        parts += _rows(tenant, gathered, starts[alike], count, special[alike], mark)
    return b"".join([*parts, TRAILER])


def _special(gathered: Gathered, starts: Integers) -> NDArray[np.bool_]:
    """Tell which chunks have more to say than times and values."""
    special = gathered.qualities != Quality.GOOD
    if gathered.texts is not None:
        special |= np.array([text is not None for text in gathered.texts.tolist()])
    return np.logical_or.reduceat(special, starts)


def _mark(boot: str) -> bytes:
    """Clock 1 (in doubt), and the boot."""
    raw = boot.encode()
    return struct.pack(">ihi", 2, 1, len(raw)) + raw


def _rows(  # noqa: PLR0917 - private, and called in one place
    tenant: UUID,
    gathered: Gathered,
    starts: Integers,
    count: int,
    special: NDArray[np.bool_],
    mark: bytes,
) -> list[bytes]:
    """Lay out chunks of the same number of samples, all at once."""
    rest = NOTHING_MORE + mark
    rows = np.zeros(starts.size, _row_of(count, len(rest)))
    samples = starts[:, np.newaxis] + np.arange(count)
    fields = FIELDS + 2 if mark else FIELDS
    rows["fields"], rows["b1"], rows["tenant"] = fields, 16, np.void(tenant.bytes)
    rows["b2"] = rows["b3"] = rows["b4"] = 8
    rows["b5"], rows["count"] = 4, count
    rows["point"] = np.array(gathered.ids)[gathered.points[starts]]
    rows["first"] = gathered.times[starts] - POSTGRES_EPOCH_US
    rows["last"] = gathered.times[samples[:, -1]] - POSTGRES_EPOCH_US
    _fill_array(rows["time"], rows["times"], INT8_OID, gathered.times[samples])
    _fill_array(rows["value"], rows["values"], FLOAT8_OID, gathered.values[samples])
    rows["rest"] = np.void(rest)
    if not special.any():
        return [rows.tobytes()]
    return [
        row.tobytes()[: -len(rest)] + _extras(gathered, start, start + count) + mark
        if more
        else row.tobytes()
        for row, start, more in zip(rows, starts.tolist(), special.tolist(), strict=True)
    ]


@lru_cache(maxsize=512)
def _row_of(count: int, rest: int) -> np.dtype[np.void]:
    return np.dtype([
        ("fields", ">i2"), ("b1", ">i4"), ("tenant", "V16"), ("b2", ">i4"), ("point", ">i8"),
        ("b3", ">i4"), ("first", ">i8"), ("b4", ">i4"), ("last", ">i8"), ("b5", ">i4"),
        ("count", ">i4"), ("time", ARRAY), ("times", TIME, (count,)), ("value", ARRAY),
        ("values", VALUE, (count,)), ("rest", f"V{rest}"),
    ])  # fmt: skip


def _fill_array(
    header: NDArray[np.void], elements: NDArray[np.void], oid: int, items: NDArray[Any]
) -> None:
    header["bytes"] = ARRAY_HEADER_BYTES + elements.itemsize * items.shape[-1]
    header["dimensions"] = header["lower"] = 1
    header["type"], header["items"] = oid, items.shape[-1]
    elements["bytes"], elements["item"] = elements.dtype["item"].itemsize, items


def array_bytes(oid: int, layout: np.dtype[Any], items: NDArray[Any]) -> bytes:
    """Lay out one array with its length in front."""
    header, elements = np.zeros((), ARRAY), np.empty(items.size, layout)
    _fill_array(header, elements, oid, items)
    if items.size == 0:
        header["bytes"], header["dimensions"] = ARRAY_HEADER_BYTES - 8, 0
        return header.tobytes()[:-8]
    return header.tobytes() + elements.tobytes()


def _extras(gathered: Gathered, start: int, end: int) -> bytes:
    """Qualities, reasons and texts of one chunk, each NULL when it says nothing."""
    qualities = gathered.qualities[start:end]
    reasons = [_own_reason(gathered.verdicts[v][1]) for v in gathered.verdict[start:end].tolist()]
    texts = [] if gathered.texts is None else gathered.texts[start:end].tolist()
    quality = array_bytes(INT2_OID, QUALITY, qualities) if qualities.any() else NULL
    return quality + _text_array(reasons) + _text_array(texts)


def _own_reason(reason: str) -> str | None:
    """Give what a sample says itself; that its time is in doubt is said by its whole chunk."""
    return None if reason in {"", Reason.CLOCK_UNSYNCHRONISED} else reason


def _text_array(items: Sequence[str | None]) -> bytes:
    if not any(item is not None for item in items):
        return NULL
    parts = [struct.pack(">iiiii", 1, 1, TEXT_OID, len(items), 1)]
    for item in items:
        raw = b"" if item is None else item.encode()
        parts.append(NULL if item is None else struct.pack(">i", len(raw)) + raw)
    body = b"".join(parts)
    return struct.pack(">i", len(body)) + body
