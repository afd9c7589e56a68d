"""Probe an address that an installer names: each value in its JSON becomes a proposed point."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from components.http import limits
from components.http.client import Request, open_line
from components.http.settings import Point, Settings
from components.payloads.errors import PayloadError
from components.payloads.extract import parse_json, to_value
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceError, SettingsError
from edge_runtime.model import Reading, Value

MAX_NAME = 63
SCHEMES = ("http://", "https://")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KINDS = {bool: "boolean", int: "integer", float: "float", str: "text"}


async def discover(target: ScanTarget) -> AsyncIterator[Progress | Found]:
    """Ask each address that begins with ``http://`` or ``https://`` once; others are not for us.

    Raises:
        SettingsError: no target is such an address, or one cannot be.

    """
    probes = [_probe(text, target) for text in target.targets if text.startswith(SCHEMES)]
    if not probes:
        msg = "no target begins with http:// or https://"
        raise SettingsError(msg, hint="Name a resource, such as http://10.0.0.7/api/status.")
    for number, (url, settings) in enumerate(probes):
        yield Progress(number, len(probes), url, number)
        if number >= target.max_requests:
            return
        try:
            document = await _document(settings)
        except (DeviceError, PayloadError):
            continue
        if found := _found(settings, document):
            yield found
    yield Progress(len(probes), len(probes), "", len(probes))


def _probe(text: str, target: ScanTarget) -> tuple[str, Settings]:
    try:
        parts = urlsplit(text)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        settings = Settings(
            name="probe",
            url=f"{parts.scheme}://{parts.netloc}",
            path=path,
            timeout_s=target.timeout_s,
            points=(Point(name="all", json_path="$"),),
        )
    except ValueError as exc:
        msg = f"'{text}' is no address to probe"
        raise SettingsError(msg, hint="Give one such as http://10.0.0.7/api/status.") from exc
    return text, settings


async def _document(settings: Settings) -> object:
    async with open_line(settings) as line:
        answer = await line.ask(Request("GET", settings.path, {}))
    return parse_json(answer.data, max_bytes=limits.MAX_ANSWER_BYTES)


def _found(settings: Settings, document: object) -> Found | None:
    leaves = propose(document)
    if not leaves:
        return None
    full = len(leaves) == limits.MAX_LEAVES
    return Found(
        protocol="http",
        address=f"{settings.url}{settings.path}",
        identity="",
        title=f"{urlsplit(settings.url or '').hostname}: JSON with {len(leaves)} values",
        settings={"protocol": "http", "url": settings.url, "path": settings.path},
        points=tuple(point for point, _ in leaves),
        values=tuple(Reading(str(point["name"]), value) for point, value in leaves),
        notes=(f"only the first {limits.MAX_LEAVES} values are proposed",) if full else (),
    )


def propose(document: object) -> Sequence[tuple[Mapping[str, Any], Value]]:
    """Make a point of each value, named by its path. Pure."""
    proposed: dict[str, tuple[Mapping[str, Any], Value]] = {}
    for steps, value in _leaves(document, ()):
        if len(proposed) == limits.MAX_LEAVES:
            break
        name = _name(steps, proposed)
        point = {"name": name, "kind": _KINDS[type(value)], "json_path": _path(steps)}
        proposed[name] = (point, value)
    return tuple(proposed.values())


Steps = tuple[str | int, ...]


def _leaves(node: object, steps: Steps) -> Iterator[tuple[Steps, Value]]:
    if isinstance(node, dict):
        for key, inner in node.items():
            if "'" not in key and "\\" not in key and key.isprintable():
                yield from _leaves(inner, (*steps, key))
    elif isinstance(node, list):
        for place, inner in enumerate(node[: limits.MAX_LEAVES]):
            yield from _leaves(inner, (*steps, place))
    else:
        try:
            yield steps, to_value(node, "")
        except PayloadError:
            return


def _path(steps: Steps) -> str:
    return "$" + "".join(
        f"[{step}]"
        if isinstance(step, int)
        else (f".{step}" if _PLAIN_NAME.fullmatch(step) else f"['{step}']")
        for step in steps
    )


def _name(steps: Steps, taken: Mapping[str, object]) -> str:
    """Name a point by its path, the last steps before the first where that is too long."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", "_".join(map(str, steps)))
    plain = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")[-MAX_NAME + 4 :].strip("_")
    name = plain if plain[:1].isalpha() else f"v_{plain}".rstrip("_")
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name[: MAX_NAME - 4]}_{number}", number + 1
    return unique
