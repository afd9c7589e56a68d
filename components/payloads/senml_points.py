"""From records to the readings of points; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.payloads.extract import MAX_TEXT
from components.payloads.senml import Record
from components.payloads.senml_units import units_agree
from edge_runtime.model import Point, Quality, Reading, Reason, Value


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which record a point takes, and in what unit."""

    point: str
    record: str
    """The record's full name."""
    unit: str = ""
    """UCUM code that the record's unit must agree with; empty for any."""
    sum: bool = False
    """Take the record's sum in the place of its value."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What a pack meant for the points of a device."""

    readings: Sequence[Reading]
    """In the order of the records; a pack may hold several values of a point."""
    unknown: Sequence[str]
    """Names of records that no point takes, each once, in order."""


def wanted_unit(point: Point) -> str:
    """Give the unit that a raw value must come in: unknown once the point scales it."""
    scaled = point.scale != 1 or point.offset != 0 or point.scale_point is not None
    return "" if scaled else point.unit


def match_records(records: Iterable[Record], wanted: Iterable[Wanted]) -> Matched:
    """Give each point the records it takes."""
    by_record: dict[str, list[Wanted]] = {}
    for one in wanted:
        by_record.setdefault(one.record, []).append(one)
    readings: list[Reading] = []
    unknown: dict[str, None] = {}
    for record in records:
        takers = by_record.get(record.name)
        if takers is None:
            unknown[record.name] = None
        else:
            readings += (to_reading(record, one) for one in takers)
    return Matched(readings, tuple(unknown))


def to_reading(record: Record, wanted: Wanted) -> Reading:
    """Make one reading; bad where the unit differs or the record has nothing of the kind."""
    value: Value | None
    if wanted.sum:
        value = record.sum
    elif isinstance(record.value, bytes):
        value = record.value.hex()
    else:
        value = record.value
    problem = ""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        problem = f"a text of more than {MAX_TEXT} characters"
    elif value is None:
        problem = "no sum" if wanted.sum else "a sum and no value"
    elif not wanted.sum and not units_agree(record.unit, wanted.unit):
        problem = f"unit {record.unit[:32]}, not {wanted.unit}"
    if problem:
        reason = f"{Reason.CONFIGURATION}:{problem}"
        return Reading(wanted.point, None, Quality.BAD, reason, record.time_us)
    return Reading(wanted.point, value, source_us=record.time_us)


def newest(readings: Iterable[Reading]) -> Mapping[str, Reading]:
    """Keep one reading a point: the one with the latest time, else the last."""
    kept: dict[str, Reading] = {}
    for reading in readings:
        before = kept.get(reading.point)
        if before is None or (reading.source_us or 0) >= (before.source_us or 0):
            kept[reading.point] = reading
    return kept
