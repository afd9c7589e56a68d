"""From a resource and what it gave to points that can be proposed; pure."""

import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from components.coap import limits
from components.coap.exchange import Answer
from components.coap.links import Link, point_name
from components.coap.settings import Format
from components.coap.values import FORMATS
from components.payloads import senml
from components.payloads.cbor import decode_cbor
from components.payloads.errors import PayloadError
from components.payloads.extract import parse_json, plain_value, to_value
from components.payloads.senml_units import UCUM
from edge_runtime.model import PointKind, Reading, Value

MAX_PARTS = 50
"""Points that one resource is proposed as."""
_KINDS = {
    bool: PointKind.BOOLEAN,
    int: PointKind.INTEGER,
    float: PointKind.FLOAT,
    str: PointKind.TEXT,
}


_IDENTITY = re.compile(r"urn:dev:(?:mac|ow):[0-9a-f]{8,32}")
"""What a device calls itself by in its records, when that is its own for good (RFC 9039)."""


class Proposal(NamedTuple):
    """A point and its value."""

    point: dict[str, Any]
    reading: Reading
    identity: str = ""
    """Of the device, if its record tells."""


class _Part(NamedTuple):
    suffix: str
    value: Value
    fields: dict[str, Any]
    time_us: int | None = None
    identity: str = ""


def propose(link: Link, answer: Answer, taken: set[str]) -> list[Proposal]:
    """Propose a point for every value in a resource; none when it holds nothing of the kind."""
    try:
        parts = list(_parts(answer))[:MAX_PARTS]
    except PayloadError:
        return []
    proposals: list[Proposal] = []
    for part in parts:
        name = point_name(f"{link.path}_{part.suffix}", taken)
        taken.add(name)
        point = {
            "name": name,
            "kind": str(_KINDS[type(part.value)]),
            "path": link.path,
            "observe": link.observable,
            **({"description": link.title} if link.title else {}),
            **part.fields,
        }
        proposals.append(
            Proposal(point, Reading(name, part.value, source_us=part.time_us), part.identity)
        )
    return proposals


def _parts(answer: Answer) -> Iterator[_Part]:
    number, data = answer.payload.content_format, answer.payload.data
    match FORMATS.get(limits.TEXT if number is None else number):
        case Format.PLAIN:
            yield _Part("", _plain(data), {})
        case Format.JSON:
            yield from _leaves(parse_json(data), "$", "")
        case Format.CBOR:
            yield from _leaves(decode_cbor(data), "$", "")
        case Format.SENML:
            yield from _records(senml.decode_json(data, now_us=time.time_ns() // 1_000))
        case Format.SENML_CBOR:
            yield from _records(senml.decode_cbor(data, now_us=time.time_ns() // 1_000))
        case _:
            return


def _plain(data: bytes) -> Value:
    try:
        return plain_value(data, PointKind.FLOAT)
    except PayloadError:
        return plain_value(data, PointKind.TEXT)


def _leaves(node: object, path: str, suffix: str) -> Iterator[_Part]:
    """Walk over a document; names that a short path cannot hold are left out."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(key, str) and key.isidentifier() and key.isascii():
                yield from _leaves(value, f"{path}.{key}", f"{suffix}_{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node[:MAX_PARTS]):
            yield from _leaves(value, f"{path}[{place}]", f"{suffix}_{place}")
    elif node is not None:
        try:
            value = to_value(node, path)
        except PayloadError:
            return
        yield _Part(suffix, value, {} if path == "$" else {"json_path": path})


def _records(records: tuple[senml.Record, ...]) -> Iterator[_Part]:
    newest = {record.name: record for record in records}
    for record in newest.values():
        value = record.value.hex() if isinstance(record.value, bytes) else record.value
        fields: dict[str, Any] = {"record": record.name} if len(records) > 1 else {}
        if record.unit:
            fields["unit"] = UCUM.get(record.unit, record.unit)[:32]
        if value is not None:
            suffix = record.name.rpartition(":")[2] if len(newest) > 1 else ""
            known = _IDENTITY.match(record.name)
            yield _Part(suffix, value, fields, record.time_us, known[0] if known else "")
