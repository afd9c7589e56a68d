"""From a message to readings of the points that its topic serves; pure.

A payload is parsed once for all its points of one format. Documents are often partial (only what
changed): a point that a document does not hold has no news, unless it was never there at all, which
is told as a wrong path.
"""

import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from components.mqtt.client import Message
from components.mqtt.settings import Format, Point, Settings
from components.payloads import senml
from components.payloads.cbor import CborError, decode_cbor
from components.payloads.errors import PayloadError
from components.payloads.extract import (
    TimeUnit,
    compile_path,
    parse_json,
    parse_time,
    plain_value,
)
from components.payloads.senml_points import Wanted, to_reading, wanted_unit
from edge_runtime.model import PointKind, Quality, Reading, Reason, Value

MAX_DETAIL = 80
MOST_SECONDS = 100_000_000_000
MOST_MILLISECONDS = MOST_SECONDS * 1_000
"""A number below is seconds, or milliseconds, since 1970: both last until the year 5138."""
RETAINED = f"{Reason.STALE}:retained"

Take = Callable[[object, int], Reading | None]
"""Make a point's reading of a parsed payload and now (µs); None where it holds no news of it.

Raises :class:`PayloadError`.
"""
Parse = Callable[[bytes, int], object]


class _Taker(NamedTuple):
    point: str
    take: Take


class Decoder:
    """Decodes the messages of a topic for the points of a device that want them."""

    def __init__(self, settings: Settings, points: Sequence[Point], found: set[str]) -> None:
        """``found`` is shared by a device's decoders: the points that were ever in a message."""
        self._most = settings.max_payload_bytes
        self._found = found
        self._promised_us = {p.name: int(settings.promised_s(p) * 1e6) for p in points}
        self._present = frozenset(point.name for point in points if point.on_change)
        by_format: dict[Format, list[Point]] = {}
        for point in points:
            by_format.setdefault(settings.format_of(point), []).append(point)
        self._parts = [
            (_parser(form, self._most), [_taker(settings, form, p) for p in group])
            for form, group in by_format.items()
        ]

    def decode(self, message: Message, now_us: int) -> list[Reading]:
        """Give readings of what the message holds; whatever it is, nothing is raised."""
        readings: list[Reading] = []
        for parse, takers in self._parts:
            try:
                if len(message.payload) > self._most:
                    msg = f"{len(message.payload)} bytes are more than the {self._most} allowed"
                    raise PayloadError(msg)
                document = parse(message.payload, now_us)
            except (PayloadError, senml.SenmlError, CborError) as exc:
                readings += (bad(taker.point, exc) for taker in takers)
                continue
            for taker in takers:
                reading = self._one(taker, document, now_us)
                if reading is not None:
                    aged = message.retained and taker.point not in self._present
                    readings.append(self._aged(reading, now_us) if aged else reading)
        return readings

    def _one(self, taker: _Taker, document: object, now_us: int) -> Reading | None:
        try:
            reading = taker.take(document, now_us)
        except PayloadError as exc:
            return bad(taker.point, exc)
        if reading is not None:
            self._found.add(taker.point)
        elif taker.point not in self._found:
            reason = f"{Reason.CONFIGURATION}:not in the message"
            return Reading(taker.point, None, Quality.BAD, reason)
        return reading

    def _aged(self, reading: Reading, now_us: int) -> Reading:
        """Doubt what the broker had kept, unless its own time says that it is fresh."""
        if reading.quality is not Quality.GOOD:
            return reading
        taken_us = reading.source_us
        if taken_us is not None and now_us - taken_us <= self._promised_us[reading.point]:
            return reading
        return Reading(reading.point, reading.value, Quality.UNCERTAIN, RETAINED, taken_us)


def bad(point: str, exc: ValueError) -> Reading:
    """Make the reading of a point whose message cannot be used."""
    detail = str(exc)[:MAX_DETAIL]
    return Reading(point, None, Quality.BAD, f"{Reason.DEVICE_ERROR}:{detail}")


def _parser(form: Format, most: int) -> Parse:
    match form:
        case Format.PLAIN:
            return lambda data, _: data
        case Format.JSON:
            return lambda data, _: parse_json(data, max_bytes=most)
        case Format.CBOR:
            return lambda data, _: decode_cbor(data, max_bytes=most)
        case Format.SENML:
            return lambda data, now_us: senml.decode_json(data, now_us=now_us, max_bytes=most)
        case Format.SENML_CBOR:
            return lambda data, now_us: senml.decode_cbor(data, now_us=now_us, max_bytes=most)


def _taker(settings: Settings, form: Format, point: Point) -> _Taker:
    if form is Format.PLAIN:
        return _Taker(point.name, _from_plain(point))
    if form.has_records:
        return _Taker(point.name, _from_records(point))
    return _Taker(point.name, _from_document(settings, point))


def _from_plain(point: Point) -> Take:
    def take(document: object, _: int) -> Reading:
        assert isinstance(document, bytes)
        return Reading(point.name, plain_value(document, point.kind, point.map))

    return take


def _from_document(settings: Settings, point: Point) -> Take:
    value_at = compile_path(point.json_path or "$")
    time_path = point.time_path or settings.time_path
    time_at = compile_path(time_path) if time_path is not None else None
    meaning = _meaning(point)

    def take(document: object, _: int) -> Reading | None:
        value = value_at(document)
        if value is None:
            return None
        taken = time_at(document) if time_at is not None else None
        source_us = None if taken is None else time_of(taken, settings.time_unit)
        return Reading(point.name, meaning(value), source_us=source_us)

    return take


def _meaning(point: Point) -> Callable[[Value], Value]:
    """Give what turns a text of a document into the value that it stands for."""
    if not point.map and point.kind is PointKind.TEXT:
        return lambda value: value

    def meant(value: Value) -> Value:
        if not isinstance(value, str):
            return value
        return plain_value(value.encode(), point.kind, point.map)

    return meant


def _from_records(point: Point) -> Take:
    wanted = Wanted(point.name, point.record, wanted_unit(point))

    def take(document: object, _: int) -> Reading | None:
        assert isinstance(document, tuple)
        own = [record for record in document if wanted.record in {"", record.name}]
        if not own:
            return None
        if not wanted.record and len(own) > 1:
            msg = f"a pack of {len(own)} records: name one by 'record'"
            raise PayloadError(msg)
        return to_reading(own[-1], wanted)

    return take


def time_of(value: Value, unit: TimeUnit | None) -> int:
    """Take a time as µs since 1970 UTC; without a unit, tell it by its looks.

    Raises:
        PayloadError: it is none.

    """
    if unit is None:
        unit = _looks_like(value)
    return parse_time(value, unit)


def _looks_like(value: Value) -> TimeUnit:
    if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
        return TimeUnit.RFC3339
    try:
        number = abs(float(value))
    except ValueError:
        return TimeUnit.RFC3339
    if number < MOST_SECONDS:
        return TimeUnit.SECONDS
    return TimeUnit.MILLISECONDS if number < MOST_MILLISECONDS else TimeUnit.MICROSECONDS


def now_us() -> int:
    """Wall time, for relative times and the age of what a broker kept."""
    return time.time_ns() // 1_000


def newest(readings: Collection[Reading]) -> dict[str, Reading]:
    """Keep the last reading of each point."""
    return {reading.point: reading for reading in readings}
