"""What a device consists of: its object list, and points proposed from its objects."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from components.bacnet import limits
from components.bacnet.kinds import BINARY, COMMANDED, MULTI_STATE, TYPES, object_name, object_type
from components.bacnet.memory import Learned
from components.bacnet.messages import ObjectId, Ref
from components.bacnet.reading import Ask, Reader, Results, number_of, reading_of
from components.bacnet.settings import Point
from components.bacnet.units import is_default, ucum_of
from components.bacnet.values import Kind, object_of, text_of
from components.bacnet.wire import DamagedError, Tag
from edge_runtime.model import PointKind, Quality, Reading

MAX_NAME, MAX_DESCRIPTION, MAX_LABEL = 63, 200, 60
MAX_STATES = 100
BATCH = 25
"""Objects that are described in one go."""
PERCENT_RANGE = (0.0, 100.0)
POINT_TYPES = frozenset(TYPES) - {limits.DEVICE, 6, 17}
"""Of calendars, schedules and the device itself no point is proposed."""
_PROPERTIES = (limits.OBJECT_NAME, limits.DESCRIPTION, limits.PRESENT_VALUE, limits.STATUS_FLAGS)

May = Callable[[], Awaitable[bool]]
"""Take one request out of what is allowed."""


class Questions:
    """Reads properties for a scan, as many as are allowed."""

    def __init__(self, ask: Ask, room: int, may: May) -> None:
        self._ask = ask
        self._room = room
        self._may = may
        self._learned = Learned()
        self.ended = False
        """Whether something was not asked because no more was allowed."""

    async def read(self, refs: Sequence[Ref]) -> Results:
        """Read; gives only what was allowed.

        Raises:
            DeviceUnreachableError: the device does not answer.

        """

        async def ask(service: int, data: bytes) -> bytes:
            if not await self._may():
                raise _EndedError
            return await self._ask(service, data)

        reader = Reader(ask, self._learned, self._room)
        try:
            return await reader.read(refs)
        except _EndedError:
            self.ended = True
            return reader.found


class _EndedError(Exception):
    """No more requests are allowed."""


class Described(NamedTuple):
    """What a device says of itself."""

    name: str = ""
    vendor: str = ""
    model: str = ""
    objects: Sequence[ObjectId] = ()
    notes: Sequence[str] = ()


async def list_objects(questions: Questions, instance: int, most: int) -> Described:
    """Read the device's names and its object list: whole, or element by element where it must be.

    Raises:
        DeviceUnreachableError: the device does not answer.

    """
    at = (limits.DEVICE, instance)
    names = [Ref(at, p) for p in (limits.OBJECT_NAME, limits.VENDOR_NAME, limits.MODEL_NAME)]
    said = await questions.read(names)
    whole = Ref(at, limits.OBJECT_LIST)
    result = (await questions.read([whole])).get(whole)
    if isinstance(result, list):
        found = _objects(result)
    else:
        found = await _by_index(questions, at, most)
    wanted = [place for place in found if place[0] in POINT_TYPES]
    notes = []
    if len(wanted) > most:
        notes.append(f"{len(wanted)} objects, of which the first {most} are proposed")
    if questions.ended:
        notes.append("the scan ended before all objects were read: no more requests are allowed")
    name, vendor, maker_model = (_text(said, ref) for ref in names)
    return Described(name, vendor, maker_model, wanted[:most], notes)


async def _by_index(questions: Questions, at: ObjectId, most: int) -> list[ObjectId]:
    """Read the list one by one: a device that cannot segment aborts when asked for all of it."""
    count = number_of((await questions.read([Ref(at, limits.OBJECT_LIST, 0)])).get(
        Ref(at, limits.OBJECT_LIST, 0)
    ))  # fmt: skip
    found: list[ObjectId] = []
    places = range(1, min(count or 0, 2 * most) + 1)
    for start in range(0, len(places), BATCH):
        refs = [Ref(at, limits.OBJECT_LIST, n) for n in places[start : start + BATCH]]
        results = await questions.read(refs)
        for ref in refs:
            result = results.get(ref)
            found += _objects(result) if isinstance(result, list) else []
    return found


def _objects(tags: Sequence[Tag]) -> list[ObjectId]:
    return [
        object_of(tag.data)
        for tag in tags
        if not tag.context and tag.number == Kind.OBJECT and len(tag.data) == 4  # noqa: PLR2004 - 20.2.14
    ]


# --- points -------------------------------------------------------------------------------------


class Proposal(NamedTuple):
    """Points with their present values."""

    points: tuple[Mapping[str, Any], ...] = ()
    values: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()


async def propose(questions: Questions, objects: Sequence[ObjectId]) -> Proposal:
    """Propose a point of each object.

    Raises:
        DeviceUnreachableError: the device does not answer.

    """
    points: list[dict[str, Any]] = []
    values: list[Reading] = []
    names: set[str] = set()
    guessed = 0
    for start in range(0, len(objects), BATCH):
        batch = objects[start : start + BATCH]
        results = await questions.read([ref for place in batch for ref in _refs(place)])
        for place in batch:
            fields, default = point_of(place, results, names)
            if Ref(place) not in results:
                continue
            points.append(fields)
            guessed += default
            reading = reading_of(Point(name=fields["name"], object=fields["object"]), results)
            values.append(reading)
    notes = (
        (f"{guessed} points say percent, which is what many controllers are delivered with",)
        if guessed
        else ()
    )
    return Proposal(tuple(points), tuple(values), notes)


def _refs(place: ObjectId) -> list[Ref]:
    wanted = [*_PROPERTIES]
    if object_type(place[0]).has_unit:
        wanted.append(limits.UNITS)
    if place[0] in BINARY:
        wanted += [limits.INACTIVE_TEXT, limits.ACTIVE_TEXT]
    if place[0] in MULTI_STATE:
        wanted += [limits.STATE_TEXT]
    if not object_type(place[0]).measured:
        wanted.append(limits.RELINQUISH_DEFAULT)
    return [Ref(place, prop) for prop in wanted]


def point_of(place: ObjectId, results: Results, names: set[str]) -> tuple[dict[str, Any], bool]:
    """Make the fields of a point; tells whether its unit may be no knowledge."""
    title = _text(results, Ref(place, limits.OBJECT_NAME))
    fields: dict[str, Any] = {
        "name": unique(point_name(title) or point_name(object_name(place)), names),
        "object": object_name(place),
        "kind": kind_of_object(place).value,
    }
    description = _text(results, Ref(place, limits.DESCRIPTION)) or title
    if description:
        fields["description"] = description[:MAX_DESCRIPTION]
    default = False
    if object_type(place[0]).has_unit:
        number = number_of(results.get(Ref(place, limits.UNITS)))
        default = number is not None and is_default(number)
        if number is not None and (unit := ucum_of(number)):
            fields["unit"] = unit
        if default and not _fits_percent(results, place):
            fields.pop("unit", None)
    if labels := labels_of(place, results):
        fields |= {"kind": PointKind.ENUMERATION.value, "labels": labels}
    if place[0] in COMMANDED or isinstance(
        results.get(Ref(place, limits.RELINQUISH_DEFAULT)), list
    ):
        fields["access"] = "read_write"
    return fields, default


def kind_of_object(place: ObjectId) -> PointKind:
    """Give what a point of the object is, before labels are known."""
    kind = object_type(place[0]).kind
    if place[0] in BINARY:
        return PointKind.BOOLEAN
    if kind in {Kind.UNSIGNED, Kind.INTEGER, Kind.ENUMERATED, Kind.BITS}:
        return PointKind.INTEGER
    return PointKind.FLOAT if kind in {Kind.REAL, Kind.DOUBLE} else PointKind.TEXT


def _fits_percent(results: Results, place: ObjectId) -> bool:
    reading = reading_of(Point(name="value", object=object_name(place)), results)
    low, high = PERCENT_RANGE
    value = reading.value
    return (
        reading.quality is Quality.GOOD
        and not isinstance(value, str)
        and (value is not None and low <= value <= high)
    )


def labels_of(place: ObjectId, results: Results) -> dict[int, str]:
    """Give the states of a multi-state object, from 1; of a binary one only texts that say more."""
    if place[0] not in MULTI_STATE:
        return {}
    result = results.get(Ref(place, limits.STATE_TEXT))
    texts = [_tag_text(tag) for tag in result[:MAX_STATES]] if isinstance(result, list) else []
    return {number: text[:MAX_LABEL] or str(number) for number, text in enumerate(texts, start=1)}


def point_name(text: str) -> str:
    """Turn an object's name into a point's: ``AHU-1.SupplyTemp`` into ``ahu_1_supply_temp``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", _plain(text))
    plain = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")
    if plain and not plain[0].isalpha():
        plain = f"p_{plain}"
    return plain[:MAX_NAME].rstrip("_")


def _plain(text: str) -> str:
    for accented, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(accented, letters).replace(accented.upper(), letters)
    return text


def unique(name: str, names: set[str]) -> str:
    """Give the name, or with a number where it is taken; notes it."""
    found, number = name, 2
    while found in names:
        tail = f"_{number}"
        found, number = name[: MAX_NAME - len(tail)] + tail, number + 1
    names.add(found)
    return found


def _text(results: Results, ref: Ref) -> str:
    result = results.get(ref)
    return _tag_text(result[0]) if isinstance(result, list) and len(result) == 1 else ""


def _tag_text(tag: Tag) -> str:
    if tag.context or tag.number != Kind.TEXT:
        return ""
    try:
        return "".join(c for c in text_of(tag.data) if c.isprintable()).strip()
    except DamagedError:
        return ""
