"""From the bytes of an answer to raw values, in bulk; pure.

All points of a request with the same treatment form a layer, and a layer is one precompiled
``struct`` over the whole answer. The four orders need two views of the bytes: as they came, or with
the two bytes of every register swapped, each read big-endian or little-endian.
"""

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

from components.modbus.settings import Point, RegisterType, WordOrder
from edge_runtime.model import Quality, Reading, Reason, Value

Decoder = Callable[[bytes], list[Reading]]
"""From the data of an answer, without function code and byte count, to readings."""

_CODES = {
    RegisterType.INT16: "h",
    RegisterType.UINT16: "H",
    RegisterType.INT32: "i",
    RegisterType.UINT32: "I",
    RegisterType.INT64: "q",
    RegisterType.UINT64: "Q",
    RegisterType.FLOAT32: "f",
    RegisterType.FLOAT64: "d",
}


class View(NamedTuple):
    """How the bytes have to be looked at: ``little`` endian or not, registers ``swapped`` or not."""

    little: bool
    swapped: bool


VIEWS = {
    WordOrder.ABCD: View(little=False, swapped=False),
    WordOrder.CDAB: View(little=True, swapped=True),
    WordOrder.BADC: View(little=False, swapped=True),
    WordOrder.DCBA: View(little=True, swapped=False),
}


class _Field(NamedTuple):
    offset: int
    """In bytes from the start of the answer."""
    bytes: int
    code: str


def bad(points: Iterable[str], reason: str) -> list[Reading]:
    """Make readings without a value."""
    return [Reading(point, None, Quality.BAD, reason) for point in points]


def swap_registers(data: bytes) -> bytes:
    """Swap the two bytes of every register."""
    swapped = bytearray(data)
    swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
    return bytes(swapped)


def compile_bits(points: Sequence[Point], first: int) -> Decoder:
    """Compile the decoder of coils or discrete inputs: bit 0 of byte 0 is ``first``."""
    picks = [(point.name, point.address - first) for point in points]

    def decode(data: bytes) -> list[Reading]:
        bits = format(int.from_bytes(data, "little"), f"0{8 * len(data)}b")[::-1]
        return [Reading(name, bits[index] == "1") for name, index in picks]

    return decode


def compile_registers(points: Sequence[Point], first: int, device_order: WordOrder) -> Decoder:
    """Compile the decoder of registers that start at address ``first``."""
    layers: list[_Layer] = []
    groups: dict[tuple[View, bool], list[Point]] = {}
    texts: list[Point] = []
    for point in points:
        view = VIEWS[point.word_order or device_order]
        if point.register_type is RegisterType.STRING:
            texts.append(point)
        else:
            groups.setdefault((view, point.register_type.is_float), []).append(point)
    for (view, is_float), group in groups.items():
        layers.extend(_layers_of(group, first, view, is_float=is_float))
    pick_texts = [_compile_text(point, first, device_order) for point in texts]
    swaps = any(layer.view.swapped for layer in layers) or bool(texts)

    def decode(data: bytes) -> list[Reading]:
        swapped = swap_registers(data) if swaps else data
        readings: list[Reading] = []
        for layer in layers:
            readings.extend(layer.read(swapped if layer.view.swapped else data))
        readings.extend(pick(data, swapped) for pick in pick_texts)
        return readings

    return decode


@dataclass(frozen=True, slots=True)
class _Layer:
    view: View
    unpack: struct.Struct
    names: tuple[str, ...]
    picks: tuple[int, ...] | None
    """Which unpacked value each name takes; None when they pair off one to one."""
    is_float: bool

    def read(self, data: bytes) -> Iterable[Reading]:
        values: Sequence[int | float] = self.unpack.unpack_from(data)
        if self.is_float and not math.isfinite(sum(values)):
            return list(map(_finite, self.names, self._picked(values)))
        return map(Reading, self.names, self._picked(values))

    def _picked(self, values: Sequence[int | float]) -> Iterable[int | float]:
        return values if self.picks is None else map(values.__getitem__, self.picks)


def _finite(name: str, value: float) -> Reading:
    """NaN is how devices say that they do not have a value; infinity is none either."""
    if math.isfinite(value):
        return Reading(name, value)
    return Reading(name, None, Quality.BAD, Reason.NOT_IMPLEMENTED)


def _layers_of(points: Iterable[Point], first: int, view: View, *, is_float: bool) -> list[_Layer]:
    """Lay fields side by side; those that overlap (a word of a pair, say) open another layer."""
    fields: dict[_Field, list[str]] = {}
    for point in points:
        field = _Field(2 * (point.address - first), 2 * point.size, _CODES[point.register_type])
        fields.setdefault(field, []).append(point.name)
    rows: list[list[_Field]] = []
    for field in sorted(fields):
        for row in rows:
            if row[-1].offset + row[-1].bytes <= field.offset:
                row.append(field)
                break
        else:
            rows.append([field])
    return [_layer(row, fields, view, is_float=is_float) for row in rows]


def _layer(
    row: Sequence[_Field], fields: dict[_Field, list[str]], view: View, *, is_float: bool
) -> _Layer:
    layout, position = ["<" if view.little else ">"], 0
    for field in row:
        if gap := field.offset - position:
            layout.append(f"{gap}x")
        layout.append(field.code)
        position = field.offset + field.bytes
    names = tuple(name for field in row for name in fields[field])
    shared = len(names) > len(row)
    picks = tuple(i for i, field in enumerate(row) for _ in fields[field]) if shared else None
    return _Layer(view, struct.Struct("".join(layout)), names, picks, is_float)


def _compile_text(
    point: Point, first: int, device_order: WordOrder
) -> Callable[[bytes, bytes], Reading]:
    """Compile a string: as far as the first NUL, without blanks around it.

    Words are never turned round in a string: CDAB reads like ABCD, DCBA like BADC.
    """
    start = 2 * (point.address - first)
    cut = slice(start, start + 2 * point.size)
    order = point.word_order or device_order
    as_it_came = order in {WordOrder.ABCD, WordOrder.CDAB}

    def pick(data: bytes, swapped: bytes) -> Reading:
        raw = (data if as_it_came else swapped)[cut]
        try:
            text = raw.decode(point.encoding)
        except UnicodeDecodeError:
            return Reading(point.name, None, Quality.BAD, f"{Reason.CONFIGURATION}:encoding")
        return Reading(point.name, text.partition("\0")[0].strip())

    return pick


def encode(point: Point, value: Value, device_order: WordOrder) -> list[int]:
    """Turn a raw value into the registers to write.

    Raises:
        ValueError: the value does not fit the point's type.

    """
    order = point.word_order or device_order
    view = VIEWS[order]
    if point.register_type is RegisterType.STRING:
        raw = str(value).encode(point.encoding).ljust(2 * point.size, b"\0")
        if len(raw) > 2 * point.size:
            msg = f"{len(raw)} bytes do not fit {point.size} registers"
            raise ValueError(msg)
        swap = order in {WordOrder.BADC, WordOrder.DCBA}
    else:
        number = value if point.register_type.is_float else _integer(value)
        try:
            raw = struct.pack(f"{'<' if view.little else '>'}{_CODES[point.register_type]}", number)
        except (struct.error, OverflowError) as exc:
            msg = f"{value!r} does not fit a {point.register_type}"
            raise ValueError(msg) from exc
        swap = view.swapped
    raw = swap_registers(raw) if swap else raw
    return list(struct.unpack(f">{len(raw) // 2}H", raw))


def _integer(value: Value) -> int:
    if isinstance(value, str) or not math.isfinite(value) or value != int(value):
        msg = f"{value!r} is not a whole number"
        raise ValueError(msg)
    return int(value)


def no_answer(points: Iterable[str]) -> list[Reading]:
    """Make the readings of points whose request was not answered."""
    return list(map(Reading, points, repeat(None), repeat(Quality.BAD), repeat(Reason.NO_ANSWER)))
