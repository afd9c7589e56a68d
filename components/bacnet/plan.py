"""Which properties go into which request, and what that costs. Pure.

Answers should fit into one message: a device that cannot segment aborts a longer one, and one that
can is slower with it.
"""

from collections.abc import Collection, Iterable, Sequence

from components.bacnet import limits
from components.bacnet.kinds import object_type
from components.bacnet.messages import ObjectId, Ref, by_object, read_many
from components.bacnet.settings import Point, Settings, is_value, ref_of
from components.bacnet.values import Kind
from edge_runtime.driver import RequestPlan

ACK_BYTES = 3
"""Header of a complex acknowledgement without segments (20.1.5)."""
REQUEST_BYTES = 4
BEFORE_BYTES = 4 + 2
"""BVLL and NPDU of a neighbour."""
OBJECT_BYTES = 5 + 2
PROPERTY_BYTES = 2 + 2
INDEX_BYTES = 3
VALUE_BYTES = {
    Kind.BOOLEAN: 1, Kind.UNSIGNED: 5, Kind.INTEGER: 5, Kind.REAL: 5, Kind.DOUBLE: 10,
    Kind.ENUMERATED: 2, Kind.DATE: 5, Kind.TIME: 5, Kind.OBJECT: 5, Kind.BITS: 6, Kind.TEXT: 40,
}  # fmt: skip
"""Tag included; of a text what most have."""
ERROR_BYTES = 4
UNKNOWN_BYTES = 24
LINE_BYTES_PER_S = 1_000_000
TURNAROUND_S = 0.01
"""What a controller thinks before it answers; behind MS/TP it is ten times as much."""


def refs_for(points: Iterable[Point], without_flags: Collection[ObjectId] = ()) -> list[Ref]:
    """List what must be read for these points: status flags beside each present value."""
    wanted: dict[ObjectId, dict[Ref, None]] = {}
    for point in points:
        ref = ref_of(point)
        refs = wanted.setdefault(ref.object, {})
        refs[ref] = None
        if is_value(ref) and ref.object not in without_flags:
            refs[Ref(ref.object, limits.STATUS_FLAGS)] = None
    return [ref for refs in wanted.values() for ref in refs]


def answer_bytes(ref: Ref) -> int:
    """Estimate what one property takes in an answer."""
    if ref.property == limits.STATUS_FLAGS:
        value = 3
    elif is_value(ref):
        kind = object_type(ref.object[0]).kind
        value = UNKNOWN_BYTES if kind is None else VALUE_BYTES[kind]
    elif ref.property in _TEXTS:
        value = VALUE_BYTES[Kind.TEXT]
    else:
        value = UNKNOWN_BYTES if ref.property not in _SMALL else 5
    return (
        PROPERTY_BYTES + (INDEX_BYTES if ref.element is not None else 0) + max(value, ERROR_BYTES)
    )


_TEXTS = frozenset({limits.OBJECT_NAME, limits.DESCRIPTION, limits.ACTIVE_TEXT,
                    limits.INACTIVE_TEXT, limits.STATE_TEXT})  # fmt: skip
_SMALL = frozenset({limits.RELIABILITY, limits.UNITS, limits.COV_INCREMENT, limits.OUT_OF_SERVICE,
                    limits.NUMBER_OF_STATES, limits.RELINQUISH_DEFAULT})  # fmt: skip


def size_of(refs: Sequence[Ref]) -> int:
    """Estimate the answer to one request."""
    return ACK_BYTES + sum(
        OBJECT_BYTES + sum(map(answer_bytes, group)) for _, group in by_object(refs)
    )


def chunks(refs: Sequence[Ref], room: int) -> list[list[Ref]]:
    """Part properties into requests whose answers have room; an object stays whole if it can."""
    parts: list[list[Ref]] = []
    left = 0
    for _, group in by_object(refs):
        need = OBJECT_BYTES + sum(map(answer_bytes, group))
        if not parts or need > left:
            parts.append([])
            left = room - ACK_BYTES
        parts[-1] += group
        left -= need
    return parts


def halves(refs: Sequence[Ref]) -> tuple[list[Ref], list[Ref]] | None:
    """Part a request between two objects; None for a single object."""
    groups = [group for _, group in by_object(refs)]
    if len(groups) == 1:
        return None
    middle = len(groups) // 2
    return (
        [ref for group in groups[:middle] for ref in group],
        [ref for group in groups[middle:] for ref in group],
    )


def describe(settings: Settings, names: Collection[str]) -> list[RequestPlan]:
    """Describe the requests for these points, for ``tidegate edge plan``."""
    wanted = set(names)
    points = [point for point in settings.points if point.name in wanted]
    plans = []
    for chunk in chunks(refs_for(points), settings.max_apdu):
        objects = {ref.object for ref in chunk}
        out = BEFORE_BYTES + REQUEST_BYTES + len(read_many(chunk))
        back = BEFORE_BYTES + size_of(chunk)
        plans.append(
            RequestPlan(
                label=f"{settings.at}: read-property-multiple, {_objects(len(objects))}",
                points=tuple(p.name for p in points if ref_of(p) in set(chunk)),
                bytes_out=out,
                bytes_in=back,
                seconds=TURNAROUND_S + (out + back) / LINE_BYTES_PER_S,
            )
        )
    return plans


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"
