"""Samples as columns: the payload of a batch of the stream ``samples``.

Samples lie sorted by point, then in the order they were read. Each column of numbers is a run of
differences in byte planes (:mod:`cloud_sync.wire.planes`), the whole is one msgpack array under zstd.

Values are sent without loss in the smallest of five kinds. ``DECIMAL`` is for what scaled
registers give: 21.37 travels as 2137 with exponent 2, and only if 2137 / 10**2 gives the same
float back. Integers past ±2**53 travel as ``FLOAT`` and are rounded to it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import chain
from typing import NamedTuple, TypeVar

import msgspec
import zstandard

from cloud_sync.wire import planes
from cloud_sync.wire.errors import MessageDamagedError, MessageInvalidError
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.version import MAX_BATCH_SAMPLES, MAX_UNPACKED_BYTES

Value = bool | int | float | str
T = TypeVar("T")

MAX_EXPONENT = 6
EXACT_INTEGER = 1 << 53
"""A float64 holds every integer up to this one exactly."""
_LARGEST_DECIMAL = EXACT_INTEGER // 10**MAX_EXPONENT
_SCALES = tuple(10**exponent for exponent in range(MAX_EXPONENT + 1))
_GOOD, _BAD = Quality.GOOD, Quality.BAD
_FLOATS: set[type] = {float}
_BOOLEANS: set[type] = {bool}
_INTEGERS: set[type] = {bool, int}
MAX_VERDICTS = 256
"""Distinct pairs of quality and reason in one batch: one byte a sample points at them."""
ZSTD_LEVEL = 3


class Kind(IntEnum):
    """How the values of one point lie in the payload."""

    FLOAT = 0
    DECIMAL = 1
    INTEGER = 2
    BOOLEAN = 3
    TEXT = 4


class Sample(NamedTuple):
    """One value of one point with quality and time, as it travels.

    ``received_us`` is the gateway's time and ``source_us`` the device's own, if it has one, both
    in microseconds since 1970 UTC. A bad sample has no value.
    """

    point: str
    received_us: int
    value: Value | None
    quality: Quality = Quality.GOOD
    reason: str = ""
    source_us: int | None = None


class SampleColumns(msgspec.Struct, array_like=True):
    """The payload, a msgpack array of these columns in this order; later versions add at its end.

    The first four have an entry a point, most others one a sample.
    """

    points: list[str]
    """Point keys, ``device/point``."""
    counts: list[int]
    """Samples of each point."""
    kinds: bytes
    """:class:`Kind` of each point."""
    exponents: bytes
    """Power of ten that divides a ``DECIMAL``; 0 for the other kinds."""
    clock: bytes
    """Planes: the distinct gateway times in µs, ascending."""
    ticks: bytes
    """Planes: each sample's index into ``clock``."""
    integers: bytes = b""
    """Planes: values of the points of kind DECIMAL, INTEGER and BOOLEAN, in order."""
    floats: bytes = b""
    """Planes: values of the points of kind FLOAT, in order."""
    texts: list[str] = []
    """Values of the points of kind TEXT, in order."""
    verdicts: list[tuple[int, str]] = []
    """Distinct (quality, reason); empty when every sample is good."""
    verdict: bytes = b""
    """Each sample's index into ``verdicts``; empty when every sample is good."""
    source: bytes = b""
    """Planes: source time minus gateway time in µs, 0 for none; empty when no sample has one."""


_decoder = msgspec.msgpack.Decoder(SampleColumns)


def encode_samples(samples: Iterable[Sample]) -> bytes:
    """Pack samples into the payload of one batch.

    Raises:
        MessageInvalidError: there are no samples, or more than ``MAX_BATCH_SAMPLES``.

    """
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample[0], []).append(sample)
    ordered = list(chain.from_iterable(groups.values()))
    if not 0 < len(ordered) <= MAX_BATCH_SAMPLES:
        msg = f"a batch holds 1 to {MAX_BATCH_SAMPLES} samples, not {len(ordered)}"
        raise MessageInvalidError(msg)
    _, times, values, qualities, reasons, sources = zip(*ordered, strict=True)
    clock = sorted(set(times))
    tick = {time: index for index, time in enumerate(clock)}
    counts = [len(group) for group in groups.values()]
    columns = SampleColumns(
        points=list(groups),
        counts=counts,
        kinds=b"",
        exponents=b"",
        clock=planes.pack_deltas(clock),
        ticks=planes.pack_deltas([tick[time] for time in times]),
    )
    _pack_values(columns, values)
    if None in values:
        # Without a value nothing is good: a filler must never be taken for one.
        pairs = zip(qualities, values, strict=True)
        qualities = tuple(_BAD if value is None else quality for quality, value in pairs)
    if qualities.count(_GOOD) < len(ordered) or any(reasons):
        _pack_verdicts(columns, list(zip(map(int, qualities), reasons, strict=True)))
    if sources.count(None) < len(ordered):
        columns.source = planes.pack_deltas(
            [0 if s is None else s - t for s, t in zip(sources, times, strict=True)]
        )
    return zstandard.compress(msgspec.msgpack.encode(columns), ZSTD_LEVEL)


def decode_columns(payload: bytes) -> SampleColumns:
    """Unpack a payload as far as its columns, and check that they fit together.

    Raises:
        MessageDamagedError: the bytes are not zstd or not msgpack.
        MessageInvalidError: too large, or the columns do not fit together.

    """
    columns = unpack(payload, _decoder)
    total = sum(columns.counts)
    numbers = _count_of(columns, Kind.DECIMAL, Kind.INTEGER, Kind.BOOLEAN)
    facts = {
        "points": len(columns.points) == len(columns.counts) == len(columns.kinds),
        "exponents": len(columns.exponents) == len(columns.kinds)
        and max(columns.exponents, default=0) <= MAX_EXPONENT,
        "counts": min(columns.counts, default=0) > 0 and total <= MAX_BATCH_SAMPLES,
        "kinds": max(columns.kinds, default=0) <= max(Kind),
        "ticks": len(columns.ticks) == total * planes.WIDTH,
        "integers": len(columns.integers) == numbers * planes.WIDTH,
        "floats": len(columns.floats) == _count_of(columns, Kind.FLOAT) * planes.WIDTH,
        "texts": len(columns.texts) == _count_of(columns, Kind.TEXT),
        "verdict": len(columns.verdict) in {0, total}
        and max(columns.verdict, default=-1) < len(columns.verdicts),
        "source": len(columns.source) in {0, total * planes.WIDTH},
    }
    for column, fits in facts.items():
        if not fits:
            msg = f"column '{column}' does not fit a batch of {total} samples"
            raise MessageInvalidError(msg)
    return columns


def decode_samples(payload: bytes) -> list[Sample]:
    """Unpack a payload into samples, sorted by point.

    Raises:
        MessageDamagedError: the bytes are not zstd or not msgpack.
        MessageInvalidError: too large, or the columns do not fit together.

    """
    columns = decode_columns(payload)
    total = sum(columns.counts)
    clock = planes.unpack_deltas(columns.clock)
    ticks = planes.unpack_deltas(columns.ticks)
    if min(ticks) < 0 or max(ticks) >= len(clock):
        msg = f"a tick points outside the {len(clock)} times of the batch"
        raise MessageInvalidError(msg)
    names = (p for p, n in zip(columns.points, columns.counts, strict=True) for _ in range(n))
    source = planes.unpack_deltas(columns.source) or [0] * total
    verdicts = [(Quality(q), reason) for q, reason in columns.verdicts] or [(Quality.GOOD, "")]
    rows = zip(
        names, ticks, _unpack_values(columns), columns.verdict or bytes(total), source, strict=True
    )
    return [
        Sample(
            point,
            clock[t],
            None if verdicts[v][0] is Quality.BAD else value,
            *verdicts[v],
            clock[t] + offset if offset else None,
        )
        for point, t, value, v, offset in rows
    ]


def unpack(payload: bytes, decoder: "msgspec.msgpack.Decoder[T]") -> T:
    """Decompress and decode a payload within the limits of the protocol.

    Raises:
        MessageDamagedError: the bytes are not zstd or not msgpack of the expected shape.
        MessageInvalidError: it would unpack to more than ``MAX_UNPACKED_BYTES``.

    """
    try:
        size = zstandard.frame_content_size(payload)
        if size > MAX_UNPACKED_BYTES or size < 0:
            msg = f"a payload may unpack to {MAX_UNPACKED_BYTES} bytes, this one says {size}"
            raise MessageInvalidError(msg)
        return decoder.decode(zstandard.decompress(payload))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        msg = f"the payload cannot be read: {exc}"
        raise MessageDamagedError(msg) from exc


def _count_of(columns: SampleColumns, *kinds: Kind) -> int:
    return sum(n for n, kind in zip(columns.counts, columns.kinds, strict=False) if kind in kinds)


def _pack_values(columns: SampleColumns, values: Sequence[Value | None]) -> None:
    kinds, exponents = bytearray(), bytearray()
    integers: list[int] = []
    floats: list[float] = []
    start = 0
    for count in columns.counts:
        own = values[start : start + count]
        start += count
        kind = _kind_of(own)
        exponent = 0
        if kind is Kind.TEXT:
            columns.texts.extend("" if value is None else str(value) for value in own)
        elif kind is not Kind.FLOAT:
            integers.extend(map(int, _filled(own)))
        elif decimals := _as_decimals(numbers := _filled(own)):
            kind = Kind.DECIMAL
            exponent, mantissas = decimals
            integers.extend(mantissas)
        else:
            floats.extend(map(float, numbers))
        kinds.append(kind)
        exponents.append(exponent)
    columns.kinds, columns.exponents = bytes(kinds), bytes(exponents)
    columns.integers, columns.floats = planes.pack_deltas(integers), planes.pack_floats(floats)


def _filled(values: Sequence[Value | None]) -> Sequence[float]:
    """Put the value before in the place of a missing one: it costs nothing and is never read."""
    if None not in values:
        return values  # type: ignore[return-value] # no text: its kind is another
    last: float = 0
    filled: list[float] = []
    for value in values:
        if value is not None:
            last = value  # type: ignore[assignment] # as above
        filled.append(last)
    return filled


def _kind_of(values: Sequence[Value | None]) -> Kind:
    """Choose by the types of the values; a FLOAT may turn out to be a DECIMAL."""
    types = set(map(type, values))
    if types == _FLOATS:
        return Kind.FLOAT
    types.discard(type(None))
    if str in types:
        return Kind.TEXT
    if types <= _BOOLEANS:
        return Kind.BOOLEAN
    if not types <= _INTEGERS:
        return Kind.FLOAT
    numbers: list[int] = [v for v in values if v is not None]  # type: ignore[misc]
    exact = min(numbers) >= -EXACT_INTEGER and max(numbers) <= EXACT_INTEGER
    return Kind.INTEGER if exact else Kind.FLOAT


def _as_decimals(numbers: Sequence[float]) -> tuple[int, list[int]] | None:
    """Find the fewest decimals that give every number back, and the integers that travel then."""
    if not -_LARGEST_DECIMAL <= min(numbers) <= max(numbers) <= _LARGEST_DECIMAL:
        return None
    if not math.isfinite(sum(numbers)):
        return None  # a NaN, which minimum and maximum may overlook
    if 0.0 in numbers and any(number == 0 and math.copysign(1, number) < 0 for number in numbers):
        return None  # an integer has no negative zero
    wanted = list(numbers)
    for exponent, scale in enumerate(_SCALES):
        if round(wanted[0] * scale) / scale != wanted[0]:
            continue  # cheaper than to try them all
        mantissas = [round(number * scale) for number in wanted]
        if [mantissa / scale for mantissa in mantissas] == wanted:
            return exponent, mantissas
    return None


def _pack_verdicts(columns: SampleColumns, pairs: list[tuple[int, str]]) -> None:
    distinct = list(dict.fromkeys(pairs))
    if len(distinct) > MAX_VERDICTS:
        kept = set(distinct[: MAX_VERDICTS - len(Quality)])
        pairs = [pair if pair in kept else (pair[0], "") for pair in pairs]
        distinct = list(dict.fromkeys(pairs))
    index = {pair: place for place, pair in enumerate(distinct)}
    columns.verdicts, columns.verdict = distinct, bytes(map(index.__getitem__, pairs))


def _unpack_values(columns: SampleColumns) -> Iterator[Value]:
    integers = iter(planes.unpack_deltas(columns.integers))
    floats = iter(planes.unpack_floats(columns.floats))
    texts = iter(columns.texts)
    for count, kind, exponent in zip(columns.counts, columns.kinds, columns.exponents, strict=True):
        scale = 10**exponent
        for _ in range(count):
            match kind:
                case Kind.FLOAT:
                    yield next(floats)
                case Kind.DECIMAL:
                    yield next(integers) / scale
                case Kind.INTEGER:
                    yield next(integers)
                case Kind.BOOLEAN:
                    yield bool(next(integers))
                case _:
                    yield next(texts)
