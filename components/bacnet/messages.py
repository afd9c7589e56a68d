"""The requests that are sent and what their answers say (15, 13.14). Pure."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from components.bacnet import limits
from components.bacnet.values import Kind, object_bytes, object_of
from components.bacnet.wire import (
    DamagedError,
    Tag,
    context_unsigned,
    inside,
    put,
    read_tags,
    structure,
    unsigned_of,
)

ObjectId = tuple[int, int]
"""Type and instance."""


class Ref(NamedTuple):
    """One property of one object, or one element of it."""

    object: ObjectId
    property: int = limits.PRESENT_VALUE
    element: int | None = None
    """Of an array, counted from 1; 0 is its length."""


class Refusal(NamedTuple):
    """The device does not give this property."""

    error_class: int
    error_code: int


Answer = list[Tag] | Refusal


def ref_bytes(ref: Ref, first: int = 0) -> bytes:
    """Encode object, property and index at the places that start with ``first``."""
    index = b"" if ref.element is None else context_unsigned(first + 2, ref.element)
    return (
        put(first, object_bytes(ref.object), context=True)
        + context_unsigned(first + 1, ref.property)
        + index
    )


def read_many(refs: Sequence[Ref]) -> bytes:
    """Encode ReadPropertyMultiple (15.7); neighbours of one object share its entry."""
    parts: list[bytes] = []
    for place, refs_of in by_object(refs):
        listed = b"".join(
            context_unsigned(0, ref.property)
            + (b"" if ref.element is None else context_unsigned(1, ref.element))
            for ref in refs_of
        )
        parts.append(put(0, object_bytes(place), context=True) + inside(1, listed))
    return b"".join(parts)


def by_object(refs: Sequence[Ref]) -> list[tuple[ObjectId, list[Ref]]]:
    """Group neighbours that name the same object."""
    groups: list[tuple[ObjectId, list[Ref]]] = []
    for ref in refs:
        if not groups or groups[-1][0] != ref.object:
            groups.append((ref.object, []))
        groups[-1][1].append(ref)
    return groups


def many_answers(data: bytes) -> dict[Ref, Answer]:
    """Read a ReadPropertyMultiple-ACK.

    Raises:
        DamagedError: it is none.

    """
    tags = read_tags(data)
    found: dict[Ref, Answer] = {}
    place = 0
    while place < len(tags):
        if not tags[place].is_context(0):
            raise DamagedError("an object identifier was expected")
        at = object_of(tags[place].data)
        end = structure(tags, _opened(tags, place + 1, 1))
        _read_results(tags, place + 2, end, at, found)
        place = end + 1
    return found


def _read_results(
    tags: Sequence[Tag], place: int, end: int, at: ObjectId, found: dict[Ref, Answer]
) -> None:
    while place < end:
        if not tags[place].is_context(2):
            raise DamagedError("a property was expected")
        prop, index = unsigned_of(tags[place]), None
        place += 1
        if tags[place].is_context(3):
            index, place = unsigned_of(tags[place]), place + 1
        last = structure(tags, place)
        inner = list(tags[place + 1 : last])
        if tags[place].opens(4):
            found[Ref(at, prop, index)] = inner
        elif tags[place].opens(5):
            found[Ref(at, prop, index)] = _refusal(inner)
        else:
            raise DamagedError("a value was expected")
        place = last + 1


def one_answer(data: bytes, ref: Ref) -> list[Tag]:
    """Read a ReadProperty-ACK (15.5); the object of the answer may differ for the wildcard.

    Raises:
        DamagedError: it is none, or of another property.

    """
    tags = read_tags(data)
    if len(tags) < 2 or not tags[1].is_context(1) or unsigned_of(tags[1]) != ref.property:  # noqa: PLR2004 - object and property
        raise DamagedError("an answer for another property")
    place = 3 if len(tags) > 2 and tags[2].is_context(2) else 2  # noqa: PLR2004 - array index
    return tags[_opened(tags, place, 3) + 1 : structure(tags, place)]


def refusal_of(data: bytes) -> Refusal:
    """Read the body of an Error; of a damaged one class and code are 0, "device, other"."""
    try:
        return _refusal([tag for tag in read_tags(data) if not tag.context])
    except DamagedError:
        return Refusal(0, 0)


def _refusal(tags: Sequence[Tag]) -> Refusal:
    if len(tags) < 2:  # noqa: PLR2004 - class and code
        raise DamagedError("an error without class and code")
    return Refusal(unsigned_of(tags[0]), unsigned_of(tags[1]))


def _opened(tags: Sequence[Tag], place: int, number: int) -> int:
    if place >= len(tags) or not tags[place].opens(number):
        raise DamagedError("a value was expected")
    return place


def write_one(ref: Ref, value: bytes, priority: int | None) -> bytes:
    """Encode WriteProperty (15.9)."""
    after = b"" if priority is None else context_unsigned(4, priority)
    return ref_bytes(ref) + inside(3, value) + after


class Subscription(NamedTuple):
    """What a device is asked to report (13.14, 13.15)."""

    process: int
    """Comes back with each report."""
    ref: Ref
    confirmed: bool
    lifetime_s: int
    increment: float | None = None

    @property
    def service(self) -> int:
        """Only SubscribeCOVProperty names a property or an increment."""
        plain = self.increment is None and self.ref == Ref(self.ref.object)
        return limits.SUBSCRIBE_COV if plain else limits.SUBSCRIBE_COV_PROPERTY

    def begin(self) -> bytes:
        """Encode the request that subscribes or renews."""
        terms = context_unsigned(2, int(self.confirmed)) + context_unsigned(3, self.lifetime_s)
        return self._head() + terms + self._tail()

    def end(self) -> bytes:
        """Encode the request that cancels: the same without terms."""
        return self._head() + self._tail()

    def _head(self) -> bytes:
        at = put(1, object_bytes(self.ref.object), context=True)
        return context_unsigned(0, self.process) + at

    def _tail(self) -> bytes:
        if self.service == limits.SUBSCRIBE_COV:
            return b""
        index = b"" if self.ref.element is None else context_unsigned(1, self.ref.element)
        tail = inside(4, context_unsigned(0, self.ref.property) + index)
        if self.increment is not None:
            tail += put(5, struct.pack(">f", self.increment), context=True)
        return tail


class Reported(NamedTuple):
    """What a device reports of an object (13.14.1)."""

    process: int
    object: ObjectId
    values: dict[Ref, list[Tag]]


def read_report(data: bytes) -> Reported:
    """Read the body of a COV notification, confirmed or not.

    Raises:
        DamagedError: it is none.

    """
    tags = read_tags(data)
    if [tag.number for tag in tags[:5]] != [0, 1, 2, 3, 4] or not tags[4].opens(4):
        raise DamagedError("no report")
    at, end, place = object_of(tags[2].data), structure(tags, 4), 5
    values: dict[Ref, list[Tag]] = {}
    while place < end:
        if not tags[place].is_context(0):
            raise DamagedError("a property was expected")
        prop, element, place = unsigned_of(tags[place]), None, place + 1
        if tags[place].is_context(1):
            element, place = unsigned_of(tags[place]), place + 1
        last = structure(tags, _opened(tags, place, 2))
        values[Ref(at, prop, element)] = tags[place + 1 : last]
        place = last + 1 + tags[last + 1].is_context(3)
    return Reported(unsigned_of(tags[0]), at, values)


def single(answer: Answer | None, kind: Kind) -> bytes | None:
    """Give the contents of an answer that is one value of this type."""
    if isinstance(answer, list) and len(answer) == 1 and not answer[0].context:
        return answer[0].data if answer[0].number == kind else None
    return None
