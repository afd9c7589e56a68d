"""Tagged values as bytes, and back (20.2): small, bounded, and quick for long answers. Pure.

bacpypes3 carries the messages; what is in them is read here, because its own decoder takes about a
millisecond an object.
"""

from collections.abc import Sequence
from typing import NamedTuple

VALUE, OPENING, CLOSING = 0, 6, 7
BOOLEAN = 1
EXTENDED_NUMBER = 15
EXTENDED_LENGTH, LENGTH_16, LENGTH_32 = 5, 254, 255
MAX_TAGS = 65_536
MAX_DEPTH = 16


class DamagedError(ValueError):
    """Bytes that are no tagged values, or not those that were expected."""


class Tag(NamedTuple):
    """One tag with its contents."""

    context: bool
    """Its number is a place in a structure and not a type."""
    number: int
    kind: int
    """VALUE, or the OPENING or CLOSING of a structure."""
    value: int
    """Of an application boolean the value, else the length."""
    data: bytes

    def is_context(self, number: int) -> bool:
        """Tell whether it is the simple value at this place."""
        return self.context and self.kind == VALUE and self.number == number

    def opens(self, number: int) -> bool:
        """Tell whether it opens the structure at this place."""
        return self.kind == OPENING and self.number == number

    def closes(self, number: int) -> bool:
        """Tell whether it closes the structure at this place."""
        return self.kind == CLOSING and self.number == number


def read_tags(data: bytes) -> list[Tag]:
    """Take bytes apart.

    Raises:
        DamagedError: they end too early, or structures do not close.

    """
    found: list[Tag] = []
    place, depth = 0, 0
    try:
        while place < len(data):
            tag, place = _read_tag(data, place)
            depth += (tag.kind == OPENING) - (tag.kind == CLOSING)
            if not 0 <= depth <= MAX_DEPTH or len(found) >= MAX_TAGS:
                raise DamagedError("structures that do not close")
            found.append(tag)
    except IndexError:
        raise DamagedError("it ends too early") from None
    if depth:
        raise DamagedError("structures that do not close")
    return found


def _read_tag(data: bytes, place: int) -> tuple[Tag, int]:
    head = data[place]
    place += 1
    number, context, kind = head >> 4, bool(head & 0x08), head & 0x07
    if number == EXTENDED_NUMBER:
        number = data[place]
        place += 1
    if context and kind in {OPENING, CLOSING}:
        return Tag(True, number, kind, 0, b""), place
    if kind > EXTENDED_LENGTH:
        raise DamagedError("a reserved length")
    if number == BOOLEAN and not context:
        return Tag(False, number, VALUE, kind, b""), place
    length = kind
    if length == EXTENDED_LENGTH:
        length, place = _read_length(data, place)
    end = place + length
    if end > len(data):
        raise DamagedError("it ends too early")
    return Tag(context, number, VALUE, length, data[place:end]), end


def _read_length(data: bytes, place: int) -> tuple[int, int]:
    length = data[place]
    if length < LENGTH_16:
        return length, place + 1
    size = 2 if length == LENGTH_16 else 4
    end = place + 1 + size
    if end > len(data):
        raise DamagedError("it ends too early")
    return int.from_bytes(data[place + 1 : end]), end


# --- writing ------------------------------------------------------------------------------------


def put(number: int, data: bytes, *, context: bool = False) -> bytes:
    """Make a tag with contents; not for the application boolean, whose length is its value."""
    head = number << 4 | (0x08 if context else 0)
    size = len(data)
    if size < EXTENDED_LENGTH:
        return bytes([head | size]) + data
    if size < LENGTH_16:
        return bytes([head | EXTENDED_LENGTH, size]) + data
    return bytes([head | EXTENDED_LENGTH, LENGTH_16]) + size.to_bytes(2) + data


def boolean(value: bool) -> bytes:
    """Make an application boolean."""
    return bytes([BOOLEAN << 4 | int(value)])


def context_unsigned(number: int, value: int) -> bytes:
    """Make an unsigned integer, an enumeration or a boolean at a place of a structure."""
    return put(number, unsigned_bytes(value), context=True)


def inside(number: int, data: bytes) -> bytes:
    """Put values into the structure at a place."""
    head = number << 4 | 0x08
    return bytes([head | OPENING]) + data + bytes([head | CLOSING])


def unsigned_bytes(value: int) -> bytes:
    """Give the fewest bytes that hold a number of zero and more."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8))


def signed_bytes(value: int) -> bytes:
    """Give the fewest bytes that hold a number in two's complement."""
    return value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, signed=True)


def unsigned_of(tag: Tag) -> int:
    """Give the number in a tag.

    Raises:
        DamagedError: it holds none, or one of more than 64 bits.

    """
    if not 0 < len(tag.data) <= 8:  # noqa: PLR2004 - bytes of 64 bits
        raise DamagedError("a number of impossible length")
    return int.from_bytes(tag.data)


def structure(tags: Sequence[Tag], start: int) -> int:
    """Give the place of the tag that closes what ``tags[start]`` opens.

    Raises:
        DamagedError: it does not close, or closes another.

    """
    depth = 0
    for place in range(start, len(tags)):
        tag = tags[place]
        depth += (tag.kind == OPENING) - (tag.kind == CLOSING)
        if depth == 0:
            if not tag.closes(tags[start].number):
                break
            return place
    raise DamagedError("structures that do not close")
