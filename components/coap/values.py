"""From payloads to readings and back; pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import cbor2
import msgspec

from components.coap import limits
from components.coap.settings import Format, Point, Settings
from components.payloads import senml
from components.payloads.cbor import decode_cbor
from components.payloads.errors import PayloadError
from components.payloads.extract import Extract, compile_path, parse_json, plain_value, to_value
from components.payloads.senml_points import Wanted, match_records, to_reading, wanted_unit
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality, Reading, Reason, Value

FORMATS = {
    limits.TEXT: Format.PLAIN,
    limits.JSON: Format.JSON,
    limits.CBOR: Format.CBOR,
    senml.JSON_FORMAT: Format.SENML,
    senml.CBOR_FORMAT: Format.SENML_CBOR,
}
"""By content format."""
CONTENT_FORMATS = {name: number for number, name in FORMATS.items()}
UNREADABLE = f"{Reason.DEVICE_ERROR}:unreadable"


class Payload(NamedTuple):
    """What a message holds."""

    data: bytes
    content_format: int | None
    """None where the message names none."""


class Decoded(NamedTuple):
    """What a payload meant for points."""

    readings: list[Reading]
    problem: str = ""
    """What is wrong with it, for people."""
    unknown: Sequence[str] = ()
    """Records that no point takes."""


class UnknownFormatError(PayloadError):
    """A content format that is not understood."""


def bad(points: Iterable[Point], reason: str) -> list[Reading]:
    """Make readings without a value."""
    return [Reading(point.name, None, Quality.BAD, reason) for point in points]


class Decoder:
    """Knows what each of some points takes from a payload; a resource, or a device that posts."""

    def __init__(self, settings: Settings, points: Sequence[Point]) -> None:
        self._settings = settings
        self._by_format: dict[Format, list[Point]] = {}
        self._paths: dict[str, Extract] = {}
        for point in points:
            self._by_format.setdefault(settings.format_of(point), []).append(point)
            self._paths[point.name] = compile_path(point.json_path or "$")
        self._wanted = {
            point.name: Wanted(
                point.name, settings.record_of(point), wanted_unit(point), sum=point.sum
            )
            for point in points
        }

    def decode(self, payload: Payload, now_us: int) -> Decoded:
        """Give every point its reading, several of a pack that holds a series, bad where it fails."""
        readings: list[Reading] = []
        problems: list[str] = []
        unknown: Sequence[str] = ()
        for declared, points in self._by_format.items():
            try:
                found = self._decode(_format_of(declared, payload), points, payload.data, now_us)
            except UnknownFormatError as exc:
                readings += bad(points, f"{Reason.CONFIGURATION}:{exc}")
                problems.append(str(exc))
            except PayloadError as exc:
                readings += bad(points, UNREADABLE)
                problems.append(str(exc))
            else:
                readings += found.readings
                unknown = found.unknown
                problems += [found.problem] if found.problem else []
        return Decoded(readings, "; ".join(problems), unknown)

    def _decode(
        self, format_: Format, points: Sequence[Point], data: bytes, now_us: int
    ) -> Decoded:
        match format_:
            case Format.JSON:
                return self._from_document(points, parse_json(data))
            case Format.CBOR:
                return self._from_document(points, decode_cbor(data))
            case Format.SENML:
                return self._from_pack(points, senml.decode_json(data, now_us=now_us))
            case Format.SENML_CBOR:
                return self._from_pack(points, senml.decode_cbor(data, now_us=now_us))
            case _:
                return _each(points, lambda point: plain_value(data, point.kind, point.map))

    def _from_document(self, points: Sequence[Point], document: object) -> Decoded:
        def take(point: Point) -> Value:
            value = (
                to_value(document, "$")
                if point.json_path is None
                else self._paths[point.name](document)
            )
            if value is None:
                raise _NothingThereError(point.json_path)
            return point.map.get(value, value) if isinstance(value, str) else value

        return _each(points, take)

    def _from_pack(self, points: Sequence[Point], records: Sequence[senml.Record]) -> Decoded:
        named = [self._wanted[point.name] for point in points if self._wanted[point.name].record]
        matched = match_records(records, named)
        readings = list(matched.readings)
        for point in points:
            wanted = self._wanted[point.name]
            if not wanted.record and len(records) == 1:
                readings.append(to_reading(records[0], wanted))
            elif not wanted.record:
                reason = f"{Reason.CONFIGURATION}:a pack of {len(records)} needs 'record'"
                readings += bad([point], reason)
        alone = len(named) < len(points) and len(records) == 1
        return Decoded(readings, "", () if alone else matched.unknown)


class _NothingThereError(PayloadError):
    def __init__(self, path: str | None) -> None:
        super().__init__(f"nothing at {path}")


def _each(points: Iterable[Point], take: Callable[[Point], Value]) -> Decoded:
    readings: list[Reading] = []
    problem = ""
    for point in points:
        try:
            readings.append(Reading(point.name, take(point)))
        except _NothingThereError as exc:
            readings += bad([point], f"{Reason.CONFIGURATION}:{exc}")
        except PayloadError as exc:
            problem = str(exc)
            readings += bad([point], UNREADABLE)
    return Decoded(readings, problem)


def _format_of(declared: Format, payload: Payload) -> Format:
    """Believe the settings before the message, and the message before nothing."""
    if declared is not Format.AUTO:
        return declared
    if payload.content_format is None:
        return Format.PLAIN
    found = FORMATS.get(payload.content_format)
    if found is None:
        msg = f"content format {payload.content_format}"
        raise UnknownFormatError(msg)
    return found


def absent(
    points: Iterable[Point], settings: Settings, readings: Iterable[Reading]
) -> list[Reading]:
    """Make bad readings of points that a pack should have held and did not."""
    found = {reading.point for reading in readings}
    return [
        bad([point], f"{Reason.CONFIGURATION}:no record {settings.record_of(point)}")[0]
        for point in points
        if point.name not in found
    ]


def encode(settings: Settings, point: Point, value: Value) -> Payload:
    """Encode a value that is to be written.

    Raises:
        DeviceRefusedError: the point's format cannot hold it.

    """
    format_ = settings.format_of(point)
    format_ = Format.PLAIN if format_ is Format.AUTO else format_
    if point.json_path is not None:
        msg = f"'{point.name}' was not written: it is a part of a document, which would be lost"
        raise DeviceRefusedError(msg, hint="Make a point of a resource that holds the value alone.")
    record = senml.Record(settings.record_of(point) or point.name, value=value)
    match format_:
        case Format.JSON:
            data = msgspec.json.encode(value)
        case Format.CBOR:
            data = cbor2.dumps(value)
        case Format.SENML:
            data = senml.encode_json([record])
        case Format.SENML_CBOR:
            data = senml.encode_cbor([record])
        case _:
            data = _plain(point, value).encode()
    if len(data) > limits.MAX_WRITE_BYTES:
        msg = f"'{point.name}' was not written: {len(data)} bytes do not fit in one message"
        raise DeviceRefusedError(msg)
    return Payload(data, CONTENT_FORMATS[format_])


def _plain(point: Point, value: Value) -> str:
    for text, meant in point.map.items():
        if meant == value and isinstance(meant, bool) == isinstance(value, bool):
            return text
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
