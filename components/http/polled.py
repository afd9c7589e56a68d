"""A device that is asked: one request a resource, whatever the number of points in it."""

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec

from components.http.client import Answer, Line, Request
from components.http.decode import Message, bad, decode
from components.http.errors import AnswerError, NotAnsweredError, StatusError
from components.http.plan import Asking, plan_requests
from components.http.secrets import request_headers
from components.http.settings import PLACE, Point, Settings, Write, filled
from components.payloads.errors import PayloadError
from edge_runtime.driver import Inspection
from edge_runtime.errors import DeviceError, DeviceRefusedError
from edge_runtime.model import PointKind, Quality, Reading, Reason, Value

MAX_PLANS = 64
LOGIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
WEB_PAGE_HINT = "It answered with a web page: is a login needed, or the path another?"
READ_BACK_WORDS = {True: "true", False: "false"}


@dataclass(frozen=True, slots=True)
class _Kept:
    """The last answer of a resource that gave an ETag."""

    etag: str
    answer: Answer


class PolledDevice:
    """A device that answers requests."""

    def __init__(self, settings: Settings, line: Line) -> None:
        self._settings = settings
        self._line = line
        self._points = {point.name: point for point in settings.points}
        self._plans: dict[frozenset[str], tuple[Asking, ...]] = {}
        self._kept: dict[str, _Kept] = {}
        self._headers = request_headers(settings)

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Ask for the resources of these points.

        A resource that the device refuses makes its points bad, with the status as the reason.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused everything.

        """
        readings: list[Reading] = []
        failures: list[DeviceError] = []
        plan = self._plan(points)
        for asking in plan:
            try:
                readings += await self._read_one(asking)
            except (StatusError, AnswerError, NotAnsweredError) as exc:
                failures.append(exc)
                readings += _marked(asking.points, exc)
        if len(failures) == len(plan) and _is_whole_devices(failures):
            raise failures[0]
        return readings

    async def _read_one(self, asking: Asking) -> list[Reading]:
        answer = await self._ask(asking)
        message = Message(answer.data, answer.media_type, time.time_ns() // 1000)
        try:
            readings = decode(self._settings, asking.points, message)
        except PayloadError as exc:
            hint = WEB_PAGE_HINT if answer.media_type == "text/html" else ""
            msg = f"{self._settings.at}{asking.path}: {exc}"
            raise AnswerError(msg, detail="wrong_answer", hint=hint) from exc
        return one_each(readings)

    async def _ask(self, asking: Asking) -> Answer:
        kept = self._kept.get(asking.path)
        headers = self._headers
        if kept is not None:
            headers = {**headers, "If-None-Match": kept.etag}
        request = Request(
            asking.method, asking.path, headers, asking.body, self._settings.max_bytes
        )
        answer = await self._line.ask(request)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            if kept is None:
                msg = f"{self._settings.at}{asking.path} answered 304 without being asked for news"
                raise AnswerError(msg, detail="304")
            return kept.answer
        if self._settings.use_etag and answer.etag.isascii() and answer.etag.isprintable():
            if answer.etag:
                self._kept[asking.path] = _Kept(answer.etag, answer)
            else:
                self._kept.pop(asking.path, None)
        return answer

    async def _write(self, point: str, value: Value) -> None:
        found = self._points[point]
        if found.write is None:
            msg = f"{self._settings.at}: '{point}' has no 'write'"
            raise DeviceRefusedError(
                msg, hint="Say in the point's 'write' how the device takes it."
            )
        check_kind(found, value)
        await self._line.ask(write_request(found, found.write, value, self._headers))
        self._kept.clear()

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Read these points and show the value as it stands in the answer.

        Raises:
            DeviceError: as for :meth:`read`.

        """
        readings = {reading.point: reading for reading in await self.read(points)}
        return [
            Inspection(
                readings[point.name],
                f"{asking.label} {point.json_path or point.record or ''}".rstrip(),
                _shown(readings[point.name]),
            )
            for asking in self._plan(points)
            for point in asking.points
        ]

    def _plan(self, points: Collection[str]) -> tuple[Asking, ...]:
        names = frozenset(points)
        if names not in self._plans:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            self._plans[names] = plan_requests(self._settings, names)
        return self._plans[names]


def _is_whole_devices(failures: Sequence[DeviceError]) -> bool:
    """Tell whether failures of every resource say that the device as a whole is lost or refuses.

    Where each resource was merely refused for a reason of its own (404, 500), the readings say so.
    """
    if all(isinstance(exc, NotAnsweredError) for exc in failures):
        return True
    return all(isinstance(exc, StatusError) and exc.status in LOGIN for exc in failures)


def _marked(points: Sequence[Point], exc: DeviceError) -> list[Reading]:
    if isinstance(exc, NotAnsweredError):
        return [Reading(point.name, None, Quality.BAD, Reason.NO_ANSWER) for point in points]
    detail = exc.detail if isinstance(exc, StatusError | AnswerError) else "refused"
    return [bad(point.name, detail) for point in points]


def one_each(readings: Sequence[Reading]) -> list[Reading]:
    """Keep the newest reading of each point: a SenML pack may hold several."""
    kept: dict[str, Reading] = {}
    for reading in readings:
        before = kept.get(reading.point)
        if before is None or (reading.source_us or 0) >= (before.source_us or 0):
            kept[reading.point] = reading
    return list(kept.values())


def _shown(reading: Reading) -> bytes:
    return b"" if reading.value is None else msgspec.json.encode(reading.value)


_KINDS: dict[PointKind, tuple[type, ...]] = {
    PointKind.TEXT: (str,),
    PointKind.BOOLEAN: (bool,),
    PointKind.FLOAT: (int, float),
    PointKind.INTEGER: (int,),
    PointKind.ENUMERATION: (int,),
}


def check_kind(point: Point, value: Value) -> None:
    """Refuse what a point of this kind cannot take. A whole float passes for an integer.

    Raises:
        DeviceRefusedError: it cannot.

    """
    whole = isinstance(value, float) and value.is_integer()
    fits = isinstance(value, _KINDS[point.kind]) or (whole and int in _KINDS[point.kind])
    if isinstance(value, bool) and point.kind is not PointKind.BOOLEAN:
        fits = False
    if isinstance(value, float) and not math.isfinite(value):
        fits = False
    if not fits:
        msg = f"'{point.name}' is of kind {point.kind} and takes no {type(value).__name__}"
        raise DeviceRefusedError(msg, hint="Check the value, or the point's 'kind'.")


def write_request(point: Point, write: Write, value: Value, headers: dict[str, str]) -> Request:
    """Make the request that writes a value; a word where the point has words. Pure."""
    value = _worded(point, value)
    text = READ_BACK_WORDS[value] if isinstance(value, bool) else str(value)
    path = write.path.replace(PLACE, quote(text, safe=""))
    if write.method == "GET":
        return Request("GET", path, headers)
    if write.text is not None:
        body = write.text.replace(PLACE, text).encode()
        headers = {**headers, "Content-Type": "text/plain"}
        return Request(write.method, path, headers, body, once=True)
    template: Any = write.body
    return Request(
        write.method, path, headers, msgspec.json.encode(filled(template, value)), once=True
    )


def _worded(point: Point, value: Value) -> Value:
    for word, meaning in point.map.items():
        if meaning == value and isinstance(meaning, bool) == isinstance(value, bool):
            return word
    return value
