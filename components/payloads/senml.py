"""SenML (RFC 8428): from JSON or CBOR to resolved records, and back; pure.

A pack is an array of records; labels with ``b`` (base name, base time, base unit, base value, base
sum) hold for their record and all that follow. A resolved record stands alone: its full name, its
unit, its value, its absolute time. A record of base labels only is taken and gives nothing.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import cbor2
import msgspec

from components.payloads.cbor import CborError
from components.payloads.cbor import decode_cbor as decode_any_cbor
from components.payloads.errors import PayloadError
from edge_runtime.model import Value

JSON_FORMAT, CBOR_FORMAT = 110, 112
"""CoAP content formats of a pack (RFC 8428 12.3)."""
JSON_TYPE, CBOR_TYPE = "application/senml+json", "application/senml+cbor"
MAX_BYTES = 65_536
MAX_RECORDS = 1_000
MAX_DEPTH = 6
MAX_NAME = 255
VERSION = 10
"""Highest version that is understood, and the default (RFC 8428 4.4)."""
ABSOLUTE_S = 1 << 28
"""Times below are relative to now (RFC 8428 4.5.3)."""
MAX_TIME_S = 253_402_300_800
"""The year 10000."""
EXACT_BITS = 63
US = 1_000_000

CBOR_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
"""RFC 8428 table 4."""
_CBOR_NUMBERS = {label: number for number, label in CBOR_LABELS.items()}
_VALUES = ("v", "vs", "vb", "vd")
_BASES = frozenset({"bver", "bn", "bt", "bu", "bv", "bs"})
_KNOWN = frozenset(CBOR_LABELS.values())
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")
"""RFC 8428 4.5.1."""


class SenmlError(PayloadError):
    """A pack cannot be used; the message names record and label."""


class Record(msgspec.Struct, frozen=True):
    """One resolved record."""

    name: str
    unit: str = ""
    """SenML's code (``Cel``, ``%RH``); empty for none."""
    value: Value | bytes | None = None
    """None only beside a sum."""
    sum: float | None = None
    """The value integrated over time, in the unit times seconds."""
    time_us: int | None = None
    """µs since 1970 UTC; None where the device named no time."""
    update_time_s: float | None = None
    """Longest time before the device reports again."""


def decode_json(
    data: bytes, *, now_us: int, max_bytes: int = MAX_BYTES, max_records: int = MAX_RECORDS
) -> tuple[Record, ...]:
    """Decode a pack of content format 110; relative times count from ``now_us``.

    Raises:
        SenmlError: it is no SenML, or past a limit.

    """
    if len(data) > max_bytes:
        msg = f"{len(data)} bytes are more than the {max_bytes} that are taken"
        raise SenmlError(msg)
    try:
        pack = json.loads(data.decode("utf-8"), object_pairs_hook=_Object, parse_constant=float)
    except UnicodeDecodeError as exc:
        msg = f"the pack is not UTF-8 (byte {exc.start})"
        raise SenmlError(msg) from exc
    except (ValueError, RecursionError) as exc:
        msg = f"no JSON: {exc}"
        raise SenmlError(msg) from exc
    return _resolve(_checked(pack, max_records, binary=False), now_us)


def decode_cbor(
    data: bytes, *, now_us: int, max_bytes: int = MAX_BYTES, max_records: int = MAX_RECORDS
) -> tuple[Record, ...]:
    """Decode a pack of content format 112; relative times count from ``now_us``.

    Raises:
        SenmlError: it is no SenML, or past a limit.

    """
    try:
        pack = decode_any_cbor(data, max_bytes=max_bytes, max_depth=MAX_DEPTH)
    except CborError as exc:
        raise SenmlError(str(exc)) from exc
    return _resolve(_checked(pack, max_records, binary=True), now_us)


def encode_json(records: Iterable[Record], *, base_name: str = "") -> bytes:
    """Encode records as a pack in JSON; names that begin with ``base_name`` are sent without it."""
    return json.dumps(_pack(records, base_name, binary=False), separators=(",", ":")).encode()


def encode_cbor(records: Iterable[Record], *, base_name: str = "") -> bytes:
    """Encode records as a pack in CBOR; names that begin with ``base_name`` are sent without it."""
    pack = _pack(records, base_name, binary=True)
    return cbor2.dumps([{_CBOR_NUMBERS[key]: entry[key] for key in entry} for entry in pack])


def _pack(records: Iterable[Record], base_name: str, *, binary: bool) -> list[dict[str, Any]]:
    pack = [_entry(record, base_name, binary=binary) for record in records]
    if pack and base_name:
        pack[0] = {"bn": base_name, **pack[0]}
    return pack


def _entry(record: Record, base_name: str, *, binary: bool) -> dict[str, Any]:
    name = record.name.removeprefix(base_name)
    value: Any = record.value
    if isinstance(value, bytes) and not binary:
        value = base64.urlsafe_b64encode(value).decode().rstrip("=")
    entry = {
        "n": name or None,
        "u": record.unit or None,
        _value_label(record.value): value,
        "s": record.sum,
        "t": None if record.time_us is None else record.time_us / US,
        "ut": record.update_time_s,
    }
    return {label: entry[label] for label in entry if entry[label] is not None}


def _value_label(value: Value | bytes | None) -> str:
    match value:
        case bool():
            return "vb"
        case str():
            return "vs"
        case bytes():
            return "vd"
        case _:
            return "v"


# --- from the wire to checked labels ------------------------------------------------------------


class _Object(list[tuple[str, Any]]):
    """A JSON object with its labels in order, so that one given twice is seen."""


Entry = Mapping[str, Any]


def _checked(pack: Any, max_records: int, *, binary: bool) -> list[Entry]:
    if not isinstance(pack, list) or isinstance(pack, _Object):
        msg = "a pack is an array of records"
        raise SenmlError(msg)
    if len(pack) > max_records:
        msg = f"{len(pack)} records are more than the {max_records} that are taken"
        raise SenmlError(msg)
    return [_entry_of(record, place, binary=binary) for place, record in enumerate(pack, 1)]


def _entry_of(record: Any, place: int, *, binary: bool) -> Entry:
    pairs = record.items() if binary and isinstance(record, dict) else record
    if not isinstance(record, dict if binary else _Object):
        msg = f"record {place} is no object with labels"
        raise SenmlError(msg)
    entry: dict[str, Any] = {}
    for key, found in pairs:
        label = CBOR_LABELS.get(key, key) if binary and type(key) is int else key
        if isinstance(label, str) and label in entry:
            raise _wrong(place, label, "appears twice")
        if label in _KNOWN:
            entry[label] = _value_of(place, label, found, binary=binary)
        elif isinstance(label, str) and label.endswith("_"):
            # RFC 8428 4.4: its sender demands that who does not know it stops here.
            raise _wrong(place, label[:MAX_NAME], "must be understood and is not")
    return entry


def _value_of(place: int, label: str, found: Any, *, binary: bool) -> Any:
    match label:
        case "bn" | "n" | "bu" | "u" | "vs":
            return _text(place, label, found)
        case "vb":
            return _typed(place, label, found, bool, "true or false")
        case "vd":
            return _data(place, found, binary=binary)
        case "bver":
            if isinstance(found, bool) or not isinstance(found, int) or found < 1:
                raise _wrong(place, label, "is no positive integer")
            if found > VERSION:
                raise _wrong(place, label, f"is {found}; up to {VERSION} is understood")
            return found
        case _:
            return _number(place, label, found)


def _typed(place: int, label: str, found: Any, kind: type, words: str) -> Any:
    if not isinstance(found, kind):
        raise _wrong(place, label, f"is not {words}")
    return found


def _text(place: int, label: str, found: Any) -> str:
    text: str = _typed(place, label, found, str, "a text")
    try:
        text.encode()
    except (
        UnicodeEncodeError
    ) as exc:  # half a surrogate pair: JSON can write it, nobody can store it
        raise _wrong(place, label, "is no whole text") from exc
    return text


def _number(place: int, label: str, found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float | Decimal):
        raise _wrong(place, label, "is no number")
    if isinstance(found, int) and found.bit_length() <= EXACT_BITS:
        return found
    try:
        number = float(found)
    except (OverflowError, ValueError):
        number = math.inf
    if not math.isfinite(number):
        raise _wrong(place, label, "is not a finite number")
    return number


def _data(place: int, found: Any, *, binary: bool) -> bytes:
    if binary:
        data: bytes = _typed(place, "vd", found, bytes, "a byte string")
        return data
    text = _typed(place, "vd", found, str, "a text in base64url")
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _wrong(place, "vd", "is no base64url") from exc


def _wrong(place: int, label: str, words: str) -> SenmlError:
    return SenmlError(f"record {place}: '{label}' {words}")


# --- resolving ----------------------------------------------------------------------------------


def _resolve(pack: Sequence[Entry], now_us: int) -> tuple[Record, ...]:
    base: dict[str, Any] = {}
    records: list[Record] = []
    for place, entry in enumerate(pack, 1):
        changed = {label: entry[label] for label in entry if label in _BASES}
        if "bver" in changed and base.get("bver", changed["bver"]) != changed["bver"]:
            raise _wrong(place, "bver", "differs within the pack")
        base |= changed
        if len(changed) < len(entry) or not entry:
            records.append(_record(place, base, entry, now_us))
    return tuple(records)


def _record(place: int, base: Mapping[str, Any], entry: Entry, now_us: int) -> Record:
    return Record(
        name=_name(place, base.get("bn", "") + entry.get("n", "")),
        unit=entry.get("u", base.get("bu", "")),
        value=_value(place, base, entry),
        sum=_added(place, "s", base.get("bs", 0), entry["s"]) if "s" in entry else None,
        time_us=_time_us(place, base, entry, now_us),
        update_time_s=_update_time(place, entry),
    )


def _name(place: int, name: str) -> str:
    if not name:
        msg = f"record {place} has no name: neither 'bn' nor 'n'"
        raise SenmlError(msg)
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        msg = (
            f"record {place}: the name '{name[:40]}' is not of letters, digits and - : . / _, "
            f"a letter or digit first, at most {MAX_NAME}"
        )
        raise SenmlError(msg)
    return name


def _value(place: int, base: Mapping[str, Any], entry: Entry) -> Value | bytes | None:
    given = [label for label in _VALUES if label in entry]
    if len(given) > 1:
        raise _wrong(place, given[1], f"stands beside '{given[0]}': one value a record")
    if not given:
        if "s" not in entry:
            msg = f"record {place} has no value: none of 'v', 'vs', 'vb', 'vd', 's'"
            raise SenmlError(msg)
        return None
    value: Value | bytes = entry[given[0]]
    return _added(place, "v", base.get("bv", 0), value) if given == ["v"] else value


def _added(place: int, label: str, base: float, own: Any) -> float:
    total: float = base + own
    return _number(place, label, total)


def _time_us(place: int, base: Mapping[str, Any], entry: Entry, now_us: int) -> int | None:
    if "bt" not in base and "t" not in entry:
        return None
    seconds = base.get("bt", 0) + entry.get("t", 0)
    from_now = seconds < ABSOLUTE_S
    time_us = round(seconds * US) + (now_us if from_now else 0) if abs(seconds) < MAX_TIME_S else -1
    if not 0 <= time_us < MAX_TIME_S * US:
        raise _wrong(place, "t", f"gives a time that is none: {seconds:g} s")
    return time_us


def _update_time(place: int, entry: Entry) -> float | None:
    update: float | None = entry.get("ut")
    if update is not None and update < 0:
        raise _wrong(place, "ut", "is negative")
    return update
