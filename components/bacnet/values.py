"""What a tagged value says, and the tag of a value to be written (20.2). Pure."""

import math
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum

from components.bacnet.wire import (
    VALUE,
    DamagedError,
    Tag,
    boolean,
    put,
    signed_bytes,
    unsigned_bytes,
)
from edge_runtime.model import Value

MAX_TEXT = 4_096
UNSPECIFIED = 0xFF
_ENCODINGS = {0: "utf-8", 3: "utf-32-be", 4: "utf-16-be", 5: "latin-1"}
"""BACnetCharacterSet (20.2.9); DBCS (1) and JIS (2) are read by nobody."""


class Kind(IntEnum):
    """Application tags (20.2.1.4)."""

    NULL = 0
    BOOLEAN = 1
    UNSIGNED = 2
    INTEGER = 3
    REAL = 4
    DOUBLE = 5
    OCTETS = 6
    TEXT = 7
    BITS = 8
    ENUMERATED = 9
    DATE = 10
    TIME = 11
    OBJECT = 12

    @property
    def title(self) -> str:
        """For people."""
        return self.name.lower()


class NoValueError(ValueError):
    """The device says that there is no value: null, NaN, a date that is not specified."""


def kind_of(tags: Sequence[Tag]) -> Kind:
    """Give the type of a single value.

    Raises:
        DamagedError: it is a list, an array or a structure.

    """
    if len(tags) != 1 or tags[0].context or tags[0].kind != VALUE or tags[0].number > Kind.OBJECT:
        raise DamagedError("not one simple value")
    return Kind(tags[0].number)


def value_of(tags: Sequence[Tag]) -> Value:
    """Give the value: numbers as they are, all else as text; a bit string as a number.

    Bit n of a bit string is bit n of the number, so that ``bit: 1`` of ``status-flags`` is "fault".

    Raises:
        NoValueError: the device says that there is none.
        DamagedError: it is not one simple value, or a damaged one.

    """
    if [tag.number for tag in tags] == [Kind.DATE, Kind.TIME]:
        return f"{_date(tags[0].data)}T{_time(tags[1].data)}"
    return _READERS[kind_of(tags)](tags[0])


def object_of(data: bytes) -> tuple[int, int]:
    """Give type and instance of an object identifier (20.2.14).

    Raises:
        DamagedError: it is not four bytes.

    """
    if len(data) != 4:  # noqa: PLR2004 - the clause above
        raise DamagedError("an object identifier that is not four bytes")
    word = int.from_bytes(data)
    return word >> 22, word & 0x3FFFFF


def object_bytes(place: tuple[int, int]) -> bytes:
    """Give the four bytes of an object identifier."""
    return (place[0] << 22 | place[1]).to_bytes(4)


def text_of(data: bytes) -> str:
    """Give a character string; what cannot be decoded becomes the replacement character.

    Raises:
        DamagedError: an encoding that is not known.

    """
    if not data or data[0] not in _ENCODINGS:
        raise DamagedError("text in an unknown encoding")
    return data[1 : 1 + 4 * MAX_TEXT].decode(_ENCODINGS[data[0]], "replace")[:MAX_TEXT]


def _whole(data: bytes, *, signed: bool) -> int:
    if not 0 < len(data) <= 8:  # noqa: PLR2004 - bytes of 64 bits
        raise DamagedError("a number of impossible length")
    return int.from_bytes(data, signed=signed)


def _real(data: bytes, form: str) -> float:
    if len(data) != struct.calcsize(form):
        raise DamagedError("a number of impossible length")
    value: float = struct.unpack(form, data)[0]
    if not math.isfinite(value):
        raise NoValueError("not a number")
    return _shortest(value) if form == ">f" else value


def _shortest(value: float) -> float:
    """Give the shortest decimal that is this single-precision number: 21.3, not 21.299999237."""
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.unpack(">f", struct.pack(">f", short))[0] == value:
                return short
        except OverflowError:  # rounded past the greatest
            continue
    return value


def _bits(data: bytes) -> int:
    if not data or len(data) > 9 or data[0] > 7:  # noqa: PLR2004 - 64 bits, bits of a byte
        raise DamagedError("a bit string of impossible length")
    count = 8 * (len(data) - 1) - data[0]
    return sum(1 << n for n in range(count) if data[1 + n // 8] & 0x80 >> n % 8)


def _date(data: bytes) -> str:
    if len(data) != 4:  # noqa: PLR2004 - 20.2.12
        raise DamagedError("a date that is not four bytes")
    year, month, day, _ = data
    if UNSPECIFIED in {year, month, day}:
        raise NoValueError("a date that is not specified")
    return f"{1900 + year:04}-{month:02}-{day:02}"


def _time(data: bytes) -> str:
    if len(data) != 4:  # noqa: PLR2004 - 20.2.13
        raise DamagedError("a time that is not four bytes")
    if UNSPECIFIED in data:
        raise NoValueError("a time that is not specified")
    hour, minute, second, hundredths = data
    return f"{hour:02}:{minute:02}:{second:02}.{hundredths:02}"


def _null(_: Tag) -> Value:
    raise NoValueError("null")


_READERS: dict[Kind, Callable[[Tag], Value]] = {
    Kind.NULL: _null,
    Kind.BOOLEAN: lambda tag: tag.value != 0,
    Kind.UNSIGNED: lambda tag: _whole(tag.data, signed=False),
    Kind.INTEGER: lambda tag: _whole(tag.data, signed=True),
    Kind.REAL: lambda tag: _real(tag.data, ">f"),
    Kind.DOUBLE: lambda tag: _real(tag.data, ">d"),
    Kind.OCTETS: lambda tag: tag.data[:MAX_TEXT].hex(),
    Kind.TEXT: lambda tag: text_of(tag.data),
    Kind.BITS: lambda tag: _bits(tag.data),
    Kind.ENUMERATED: lambda tag: _whole(tag.data, signed=False),
    Kind.DATE: lambda tag: _date(tag.data),
    Kind.TIME: lambda tag: _time(tag.data),
    Kind.OBJECT: lambda tag: "{},{}".format(*object_of(tag.data)),
}


# --- writing ------------------------------------------------------------------------------------

NULL = put(Kind.NULL, b"")
_FALSE = {"inactive", "false", "off", "0"}
_TRUE = {"active", "true", "on", "1"}
_RANGE = {Kind.UNSIGNED: (0, 2**64 - 1), Kind.ENUMERATED: (0, 2**32 - 1), Kind.INTEGER: (-(2**63), 2**63 - 1)}  # fmt: skip


def encode(kind: Kind, value: Value) -> bytes:
    """Make the tag of a value.

    Raises:
        ValueError: the value does not fit the type; says why.

    """
    match kind:
        case Kind.REAL | Kind.DOUBLE:
            return put(kind, _real_bytes(kind, _number(value)))
        case Kind.UNSIGNED | Kind.INTEGER | Kind.ENUMERATED:
            return put(kind, _whole_bytes(kind, value))
        case Kind.BOOLEAN:
            return boolean(as_switch(value))
        case Kind.TEXT if isinstance(value, str):
            return put(kind, b"\0" + value.encode())
    msg = f"found {value!r}; a value of the type {kind.title} cannot be made of it"
    raise ValueError(msg)


def as_switch(value: Value) -> bool:
    """Read true, 1, "active" and their opposites.

    Raises:
        ValueError: it is none of them.

    """
    word = str(value).strip().lower()
    if isinstance(value, bool) or word in _TRUE | _FALSE or value in {0.0, 1.0}:
        return value is True or word in _TRUE or value == 1
    msg = f"found {value!r}; expected active or inactive, true or false, 1 or 0"
    raise ValueError(msg)


def _number(value: Value) -> float:
    if isinstance(value, str | bool) or not math.isfinite(value):
        msg = f"found {value!r}; expected a number"
        raise ValueError(msg)
    return value


def _real_bytes(kind: Kind, value: float) -> bytes:
    try:
        return struct.pack(">f" if kind is Kind.REAL else ">d", value)
    except OverflowError:
        msg = f"{value:g} is too large for the type {kind.title}"
        raise ValueError(msg) from None


def _whole_bytes(kind: Kind, value: Value) -> bytes:
    number = _number(int(value) if isinstance(value, bool) else value)
    if number != int(number):
        msg = f"found {value!r}; expected a whole number"
        raise ValueError(msg)
    low, high = _RANGE[kind]
    whole = int(number)
    if not low <= whole <= high:
        msg = f"{whole} is outside of {low} to {high}, the type {kind.title}"
        raise ValueError(msg)
    return signed_bytes(whole) if kind is Kind.INTEGER else unsigned_bytes(whole)
