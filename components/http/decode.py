"""From the bytes of an answer or a posted message to readings. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from components.http import limits
from components.http.settings import Point, Settings
from components.payloads import senml
from components.payloads.errors import PayloadError
from components.payloads.extract import compile_path, parse_json, parse_time, plain_value
from components.payloads.senml import Record, SenmlError
from components.payloads.senml_points import Wanted, match_records, wanted_unit
from edge_runtime.model import Quality, Reading, Reason, Value

MAX_REASON = 80
NOTHING_THERE = f"{Reason.DEVICE_ERROR}:nothing_there"

cached_path = lru_cache(maxsize=4096)(compile_path)


@dataclass(frozen=True, slots=True)
class Message:
    """What came, and as what."""

    data: bytes
    media_type: str
    """Without parameters, in lower case; empty where none was given."""
    received_us: int


def decode(settings: Settings, points: Iterable[Point], message: Message) -> list[Reading]:
    """Give a reading or more for each point; bad ones with what is wrong.

    Raises:
        PayloadError: nothing of it can be used.

    """
    by_json = [point for point in points if point.json_path is not None]
    by_record = [point for point in points if point.json_path is None and point.record is not None]
    plain = [point for point in points if point.json_path is None and point.record is None]
    readings = [_plain(point, message.data) for point in plain]
    if by_json:
        document = parse_json(
            message.data, max_bytes=limits.MOST_ANSWER_BYTES, max_depth=limits.MAX_DEPTH
        )
        readings += from_json(settings, by_json, document)
    if by_record:
        readings += _from_records(by_record, _records(message))
    return readings


def from_json(settings: Settings, points: Sequence[Point], document: object) -> list[Reading]:
    """Take each point's value, and the device's time for all of them."""
    try:
        source_us = _time_of(settings, document)
    except PayloadError as exc:
        return [bad(point.name, f"time: {exc}") for point in points]
    return [_taken(point, _from_document(point, document), source_us) for point in points]


def _time_of(settings: Settings, document: object) -> int | None:
    if settings.time_path is None:
        return None
    found = cached_path(settings.time_path)(document)
    if found is None:
        msg = f"nothing at {settings.time_path}"
        raise PayloadError(msg)
    return parse_time(found, settings.time_unit)


Take = Callable[[], Value | None]


def _from_document(point: Point, document: object) -> Take:
    assert point.json_path is not None
    extract = cached_path(point.json_path)
    return lambda: extract(document)


def _plain(point: Point, data: bytes) -> Reading:
    return _taken(point, lambda: plain_value(data, point.kind, point.map), None)


def _taken(point: Point, take: Take, source_us: int | None) -> Reading:
    try:
        value = take()
    except PayloadError as exc:
        return bad(point.name, str(exc))
    if value is None:
        return Reading(point.name, None, Quality.BAD, NOTHING_THERE, source_us)
    if isinstance(value, str):
        value = point.map.get(value, value)
    return Reading(point.name, value, source_us=source_us)


def bad(point: str, told: str) -> Reading:
    """Make a bad reading of what the device gave wrongly."""
    return Reading(point, None, Quality.BAD, f"{Reason.DEVICE_ERROR}:{told}"[:MAX_REASON])


# --- SenML --------------------------------------------------------------------------------------


def is_senml(media_type: str) -> bool:
    """Tell whether a message says that it is a SenML pack."""
    return media_type in {senml.JSON_TYPE, senml.CBOR_TYPE}


def _records(message: Message) -> tuple[Record, ...]:
    binary = message.media_type.endswith("cbor") or (
        not message.media_type.endswith("json") and not message.data.lstrip().startswith(b"[")
    )
    decode_pack = senml.decode_cbor if binary else senml.decode_json
    try:
        return decode_pack(
            message.data,
            now_us=message.received_us,
            max_bytes=limits.MOST_ANSWER_BYTES,
            max_records=limits.MAX_RECORDS,
        )
    except SenmlError as exc:
        raise PayloadError(str(exc)) from exc


def _from_records(points: Sequence[Point], records: Iterable[Record]) -> list[Reading]:
    wanted = [Wanted(p.name, p.record or "", wanted_unit(p)) for p in points]
    readings = list(match_records(records, wanted).readings)
    words = {point.name: point.map for point in points if point.map}
    if words:
        readings = [_with_words(reading, words.get(reading.point, {})) for reading in readings]
    found = {reading.point for reading in readings}
    return readings + [
        Reading(point.name, None, Quality.BAD, NOTHING_THERE)
        for point in points
        if point.name not in found
    ]


def _with_words(reading: Reading, words: Mapping[str, Value]) -> Reading:
    if not isinstance(reading.value, str) or reading.value not in words:
        return reading
    return Reading(reading.point, words[reading.value], source_us=reading.source_us)
