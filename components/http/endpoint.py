"""The endpoint that devices post to: ``POST /push/<device>``. An ASGI application.

Whoever has no right token learns nothing: not whether a device of that name exists, not what was
wrong. Everything is bounded: head, body, time, rate, depth, records. The answer says for each point
what became of its value.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from components.http import limits
from components.http.decode import NOTHING_THERE, Message, decode, is_senml
from components.http.inbox import FullError, Inbox
from components.http.settings import Point, Settings
from components.payloads.errors import PayloadError
from edge_runtime.model import Quality, Reading

PREFIX = "/push/"
JSON_TYPES = frozenset({"", "application/json", "text/json", "text/plain", "application/octet-stream",
                        "application/x-www-form-urlencoded"})  # fmt: skip
"""Small devices rarely say what they send; anything here is taken as JSON."""
MAX_SHOWN = 200


def digest(token: str) -> bytes:
    """Give what of a token is kept: enough to know it again, too little to use it."""
    return hashlib.sha256(token.encode()).digest()


_NOBODY = digest("")


@dataclass(slots=True)
class Poster:
    """One device that may post."""

    settings: Settings
    token: bytes = field(repr=False)
    inbox: Inbox
    allowance: float = 0.0
    """Posts it may make now."""
    counted_at: float = 0.0

    def admit(self, now: float) -> bool:
        """Count a post; False when there are too many (a bucket that holds one second's worth)."""
        rate = self.settings.max_posts_per_s
        most = max(1.0, rate)
        self.allowance = min(most, self.allowance + (now - self.counted_at) * rate)
        self.counted_at = now
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True


class RefusedPostError(Exception):
    """A post that is not taken."""

    def __init__(self, status: int, told: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(told)
        self.response = JSONResponse({"error": told}, status, headers)


class Endpoint:
    """All devices that post to one address."""

    def __init__(self) -> None:
        self.posters: dict[str, list[Poster]] = {}
        """By name; two only while one takes over from another."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except RefusedPostError as refusal:
            response = refusal.response
            response.headers["Connection"] = "close"
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        posters = self._known(request)
        if request.method != "POST":
            raise RefusedPostError(405, "only POST is taken here", {"Allow": "POST"})
        now = asyncio.get_running_loop().time()
        if not posters[0].admit(now):
            raise RefusedPostError(429, "too many posts", {"Retry-After": "1"})
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in JSON_TYPES and not is_senml(media_type):
            raise RefusedPostError(415, "send application/json, or SenML as JSON or CBOR")
        data = await _body(request)
        message = Message(data, media_type, time.time_ns() // 1000)
        return _deliver(posters, message)

    def _known(self, request: Request) -> list[Poster]:
        """Give the device that the token proves; whatever is wrong takes as long and says as much."""
        path: str = request.scope["path"]  # request.url is made of what the Host header says
        posters = self.posters.get(path.removeprefix(PREFIX), []) if path.startswith(PREFIX) else []
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expected = posters[0].token if posters else _NOBODY
        given = digest(token.strip()[: limits.MAX_SECRET_BYTES])
        if hmac.compare_digest(given, expected) & bool(posters) & (scheme.lower() == "bearer"):
            return posters
        raise RefusedPostError(401, "not authorised", {"WWW-Authenticate": "Bearer"})


async def _body(request: Request) -> bytes:
    data = bytearray()
    too_long = RefusedPostError(413, f"more than {limits.MAX_POST_BYTES} bytes")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > limits.MAX_POST_BYTES:
        raise too_long
    try:
        async with asyncio.timeout(limits.BODY_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limits.MAX_POST_BYTES:
                    raise too_long
    except TimeoutError as exc:
        raise RefusedPostError(408, "the body took too long") from exc
    return bytes(data)


def _deliver(posters: Iterable[Poster], message: Message) -> Response:
    result: Response | None = None
    for poster in posters:
        readings = _decoded(poster.settings, message)
        try:
            poster.inbox.put([reading for reading in readings if reading.reason != NOTHING_THERE])
        except FullError as exc:
            raise RefusedPostError(503, "too many readings wait", {"Retry-After": "1"}) from exc
        result = result or _told(poster.settings, readings)
    assert result is not None
    return result


def _decoded(settings: Settings, message: Message) -> list[Reading]:
    points = _points_for(settings, message.media_type)
    if not points:
        kind = "SenML" if is_senml(message.media_type) else "JSON"
        raise RefusedPostError(415, f"no point of this device is described by {kind}")
    try:
        return decode(settings, points, message)
    except PayloadError as exc:
        raise RefusedPostError(400, str(exc)[:MAX_SHOWN]) from exc


def _points_for(settings: Settings, media_type: str) -> list[Point]:
    senml = is_senml(media_type)
    return [point for point in settings.points if (point.record is not None) is senml]


def _told(settings: Settings, readings: Iterable[Reading]) -> Response:
    """Say for each point what became of it; one that the message did not hold is absent."""
    accepted: dict[str, None] = {}
    rejected: dict[str, str] = {}
    for reading in readings:
        if reading.quality is Quality.GOOD:
            accepted[reading.point] = None
        elif reading.reason != NOTHING_THERE:
            rejected[reading.point] = reading.reason
    named = accepted.keys() | rejected.keys()
    absent = [point.name for point in settings.points if point.name not in named]
    body = {"accepted": list(accepted), "rejected": rejected, "absent": absent}
    return JSONResponse(body, 200 if named else 422)
