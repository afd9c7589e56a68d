"""Values out of payloads: JSON by JSONPath (RFC 9535), plain texts, and times; pure.

A path is compiled once, when the settings are read. Most are of names and indexes only
(``$.meter.phases[0].power``), and those need no library to follow. Whatever a payload holds, what
comes out is one scalar that a reading may have, or a :class:`PayloadError` that says what was found.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, cast

import msgspec
from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError

from components.payloads.errors import PayloadError
from edge_runtime.model import PointKind, Value

MAX_BYTES = 65_536
MAX_DEPTH = 32
MAX_PATH = 500
MAX_TEXT = 1_000
"""Characters of a value that is a text."""
MAX_NUMBER = 64
"""Characters of a number in a plain text."""
LEAST_INTEGER, MOST_INTEGER = -(1 << 63), (1 << 64) - 1
MOST_TIME_US = 253_402_300_800 * 1_000_000
"""The year 10000."""

Extract = Callable[[object], Value | None]
"""Take one value out of parsed JSON.

None: there is nothing at that place. Raises :class:`PayloadError` for ``null``, objects, arrays,
several values, and numbers that no reading can hold.
"""

_PLAIN = re.compile(
    r"\$(?:\.[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*|\[-?(?:0|[1-9]\d{0,8})\]|\['[^'\\\x00-\x1f]*'\])*"
)
_STEP = re.compile(r"\.([^.\[]+)|\[(-?\d+)\]|\['([^']*)'\]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:[Zz]|[+-]\d\d:\d\d)")
_BOOLEANS = {
    "true": True, "on": True, "yes": True, "1": True,
    "false": False, "off": False, "no": False, "0": False,
}  # fmt: skip
_STRICT = JSONPathEnvironment(strict=True)


class TimeUnit(StrEnum):
    """How a payload writes a time."""

    SECONDS = "s"
    """Since 1970 UTC, as the next two."""
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    RFC3339 = "rfc3339"
    """``2026-02-03T04:05:06.5Z`` or with an offset such as ``+01:00``."""


_US = {TimeUnit.SECONDS: 1_000_000, TimeUnit.MILLISECONDS: 1_000, TimeUnit.MICROSECONDS: 1}


# --- JSON ---------------------------------------------------------------------------------------


def parse_json(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> object:
    """Parse one JSON text in UTF-8. Of a name that appears twice the last counts.

    Raises:
        PayloadError: it is no JSON, too long or too deep.

    """
    if len(data) > max_bytes:
        msg = f"{len(data)} bytes are more than the {max_bytes} that are taken"
        raise PayloadError(msg)
    if data.count(b"[") + data.count(b"{") > max_depth:
        _check_depth(data, max_depth)
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        msg = f"no JSON: {exc}"
        raise PayloadError(msg) from exc


_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
"""Texts, so that brackets within them do not count, and brackets."""


def _check_depth(data: bytes, most: int) -> None:
    depth = 0
    for found in _NESTING.finditer(data):
        match chr(data[found.start()]):
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case _:
                pass
        if depth > most:
            msg = f"it is nested deeper than {most} levels"
            raise PayloadError(msg)


def compile_path(path: str) -> Extract:
    """Compile a JSONPath; the result may be called any number of times.

    Raises:
        ValueError: it is no path of RFC 9535; the message shows where.

    """
    if len(path) > MAX_PATH:
        msg = f"a path of {len(path)} characters is longer than the {MAX_PATH} that are taken"
        raise ValueError(msg)
    if _PLAIN.fullmatch(path):
        return _follow(path, _steps(path))
    try:
        compiled = _STRICT.compile(path)
    except (JSONPathError, RecursionError) as exc:
        msg = f"'{path}' is no JSONPath ({_told(exc)}); paths look like $.meter.phases[0].power"
        raise ValueError(msg) from exc

    def extract(document: object) -> Value | None:
        if not isinstance(document, dict | list):
            return None
        try:
            found = list(islice(compiled.finditer(cast("Any", document)), 2))
        except (JSONPathError, RecursionError) as exc:
            msg = f"{path} cannot be followed: {_told(exc)}"
            raise PayloadError(msg) from exc
        if len(found) > 1:
            msg = f"several values at {path}"
            raise PayloadError(msg)
        return to_value(found[0].obj, path) if found else None

    return extract


def _told(exc: Exception) -> str:
    """Give the message without the drawing that its ``str()`` adds, and that can fail itself."""
    return str(exc.args[0]).partition("\n")[0] if exc.args else type(exc).__name__


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(
        int(step[2]) if step[2] else (step[1] if step[1] is not None else step[3])
        for step in _STEP.finditer(path)
    )


def _follow(path: str, steps: Iterable[str | int]) -> Extract:
    steps = tuple(steps)

    def extract(document: object) -> Value | None:
        node: Any = document
        for step in steps:
            if type(step) is (str if type(node) is dict else int) and type(node) in _NESTS:
                try:
                    node = node[step]
                except LookupError:
                    return None
            else:
                return None
        return to_value(node, path)

    return extract


_NESTS = frozenset({dict, list})


def to_value(found: object, place: str) -> Value:
    """Take what a payload holds as the value of a reading.

    Raises:
        PayloadError: it is not one scalar, or one that no reading can hold.

    """
    match found:
        case bool():
            return found
        case int() if LEAST_INTEGER <= found <= MOST_INTEGER:
            return found
        case float() if math.isfinite(found):
            return found
        case str() if len(found) <= MAX_TEXT and _is_whole(found):
            return found
        case _:
            pass
    msg = f"{_described(found)} at {place}"
    raise PayloadError(msg)


def _is_whole(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _described(found: object) -> str:
    if found is None:
        return "null"
    if isinstance(found, dict | list | str):
        words = {dict: "an object of {}", list: "an array of {}", str: "a text of {} characters"}
        return words.get(type(found), "{}").format(len(found))
    if isinstance(found, int):
        return "an integer beyond 64 bits"
    return "no finite number" if isinstance(found, float) else f"a {type(found).__name__}"


# --- plain texts and times ----------------------------------------------------------------------


def plain_value(data: bytes, kind: PointKind, words: Mapping[str, Value] | None = None) -> Value:
    """Take a payload that is nothing but the value: ``21.5``, ``ON``, ``running``.

    ``words`` says what a text stands for (``{"ON": True}``), as it is written. Booleans know
    true/false, on/off, yes/no and 1/0 without.

    Raises:
        PayloadError: it is no UTF-8, or no value of this kind.

    """
    if len(data) > 4 * MAX_TEXT:
        msg = f"{len(data)} bytes are too long for one value"
        raise PayloadError(msg)
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        msg = f"it is not UTF-8 (byte {exc.start})"
        raise PayloadError(msg) from exc
    stripped = text.strip().strip("\0")
    if words and stripped in words:
        return words[stripped]
    match kind:
        case PointKind.TEXT:
            return to_value(text, "the payload")
        case PointKind.BOOLEAN:
            boolean = _BOOLEANS.get(stripped.lower())
            return _number(stripped) != 0 if boolean is None else boolean
        case _:
            return _number(stripped)


def _number(text: str) -> int | float:
    if len(text) > MAX_NUMBER or not _NUMBER.fullmatch(text) or not text.isascii():
        msg = f"{text[:40]!r} is no number"
        raise PayloadError(msg)
    try:
        number: int | float = int(text)
    except ValueError:
        number = float(text)
    return cast("int | float", to_value(number, "the payload"))


def parse_time(value: object, unit: TimeUnit) -> int:
    """Take a time as µs since 1970 UTC.

    Raises:
        PayloadError: it is none, or lies before 1970 or after the year 9999.

    """
    time_us = _from_text(value) if unit is TimeUnit.RFC3339 else _from_epoch(value, unit)
    if not 0 <= time_us < MOST_TIME_US:
        msg = f"{str(value)[:40]!r} is no time from 1970 to 9999"
        raise PayloadError(msg)
    return time_us


def _from_epoch(value: object, unit: TimeUnit) -> int:
    number = _number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        msg = f"{_described(value)} is no time in {unit}"
        raise PayloadError(msg)
    return round(number * _US[unit]) if abs(number) < MOST_TIME_US else -1


def _from_text(value: object) -> int:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        msg = f"{str(value)[:40]!r} is no time of RFC 3339 with its offset, such as 2026-02-03T04:05:06Z"
        raise PayloadError(msg)
    try:
        moment = datetime.fromisoformat(value.upper().replace(" ", "T"))
    except (ValueError, OverflowError) as exc:
        msg = f"{value[:40]!r} is no time: {exc}"
        raise PayloadError(msg) from exc
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
