"""The one place that makes HTTP clients for devices: TLS always verified, everything bounded.

Devices behind one address share kept connections. No proxy and no certificates come from the
environment, no cookie is kept, no redirect leads to another host, and no answer is read past its
limit or taken compressed (a few bytes may unpack to gigabytes).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from time import time
from urllib.parse import urljoin, urlsplit
from weakref import WeakKeyDictionary

import httpx

from components.http import limits
from components.http.errors import AnswerError, StatusError, mapped
from components.http.settings import Settings
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError

KEEP_ALIVE_S = 60.0
MAX_CONNECTIONS = 4
"""Small devices serve few at once."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
REDIRECT_HINT = "Put the address that it leads to into 'url', if you trust that host."


@dataclass(frozen=True, slots=True)
class Request:
    """One request below a device's address."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None
    max_bytes: int = limits.MAX_ANSWER_BYTES
    once: bool = False
    """A command: it must not be sent again, nor elsewhere, whatever its method."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    data: bytes
    media_type: str
    etag: str


@dataclass(slots=True)
class Host:
    """One address: its connections, and how long it wants to be left alone."""

    client: "httpx.AsyncClient | None" = None  # noqa: TID251 - made below, the one place
    users: int = 0
    alone_until: float = 0.0
    """On the event loop's clock (Retry-After)."""
    alone_status: int = 0


Key = tuple[str, str]
_hosts: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, Host]] = WeakKeyDictionary()
"""By event loop, address and trusted authority. Entries stay when the last device leaves, without
their connections: what a host asked for holds for the next that opens it."""


class Line:
    """A device's use of a host."""

    def __init__(self, host: Host, url: str, timeout_s: float) -> None:
        """Take a host of :func:`open_line`."""
        self._host = host
        self._url = url
        self._timeout_s = timeout_s

    async def ask(self, request: Request) -> Answer:
        """Send a request and read the whole answer; a success, or 304.

        Raises:
            DeviceUnreachableError: no connection, no answer in time, or asked to wait.
            DeviceRefusedError: an error, or an answer that cannot be used.

        """
        where = f"{self._url}{request.path}"
        self._check_alone()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(request, where)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            if isinstance(exc, httpx.InvalidURL):
                raise AnswerError(f"{where}: {exc}", detail="address") from exc
            raise mapped(exc, where) from exc

    async def _follow(self, request: Request, url: str) -> Answer:
        for _ in range(limits.MAX_REDIRECTS + 1):
            try:
                answer = await self._ask_once(request, url)
            except httpx.RemoteProtocolError:
                if request.once or request.method != "GET":
                    raise
                # A kept connection that the device closed at this moment: ask on a new one.
                answer = await self._ask_once(request, url)
            if isinstance(answer, Answer):
                return answer
            url = self._next(request, url, answer)
        msg = f"{url} leads on more than {limits.MAX_REDIRECTS} times"
        raise AnswerError(msg, detail="redirects")

    async def _ask_once(self, request: Request, url: str) -> Answer | str:
        """Give the answer, or where it leads."""
        client = self._host.client
        assert client is not None
        headers = {"Accept-Encoding": "identity", **request.headers}
        if request.body is not None:
            headers.setdefault("Content-Type", "application/json")
        async with client.stream(
            request.method, url, headers=headers, content=request.body
        ) as response:
            if response.status_code in REDIRECTS and "location" in response.headers:
                return response.headers["location"]
            data = await _read(response, url, request.max_bytes)
        return self._judged(response, data, url)

    def _judged(self, response: httpx.Response, data: bytes, url: str) -> Answer:
        status = response.status_code
        if status == HTTPStatus.NOT_MODIFIED or response.is_success:
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Answer(status, data, media_type, response.headers.get("etag", "")[:200])
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            self._leave_alone(response)
        raise StatusError(status, url)

    def _next(self, request: Request, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
        except ValueError:  # no address at all
            target = location
        elsewhere = origin_of(target) != origin_of(url)
        if elsewhere or request.once or request.method != "GET":
            msg = f"{url} leads to {target[:200]}, which is not followed"
            raise AnswerError(msg, detail="redirect", hint=REDIRECT_HINT)
        return target

    def _leave_alone(self, response: httpx.Response) -> None:
        wait_s = retry_after_s(response.headers.get("retry-after", ""), time())
        if wait_s > 0:
            self._host.alone_until = asyncio.get_running_loop().time() + wait_s
            self._host.alone_status = response.status_code

    def _check_alone(self) -> None:
        left = self._host.alone_until - asyncio.get_running_loop().time()
        if left <= 0:
            return
        status = self._host.alone_status
        msg = f"{self._url} answered {status} and wants to be left alone for {left:.0f} s more"
        hint = "It is asked too often: make 'interval_s' longer."
        busy = status == HTTPStatus.SERVICE_UNAVAILABLE
        raise (DeviceUnreachableError if busy else DeviceRefusedError)(msg, hint=hint)


async def _read(response: httpx.Response, url: str, most: int) -> bytes:
    encoding = response.headers.get("content-encoding", "identity")
    if encoding not in {"", "identity"}:
        msg = f"{url} answered compressed ({encoding[:40]}) without being asked to"
        raise AnswerError(msg, detail="encoding")
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > most:
            msg = f"{url} answered with more than {most} bytes"
            raise AnswerError(msg, detail="too_long", hint="Ask for less, or raise 'max_bytes'.")
    return bytes(data)


def retry_after_s(text: str, now: float) -> float:
    """Read Retry-After, seconds or a date (RFC 9110 10.2.3); 0 where it says nothing."""
    if text.isascii() and text.isdigit() and len(text) < 10:  # noqa: PLR2004 - a number that fits
        wait_s = float(text)
    else:
        try:
            wait_s = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError, TypeError):
            return 0.0
    return min(max(wait_s, 0.0), limits.MAX_PAUSE_S)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Give scheme, host and port: what a redirect may not leave."""
    try:
        parts = urlsplit(url)
        default = {"http": 80, "https": 443}.get(parts.scheme)
        port = parts.port or default
    except ValueError:
        return "", url, None
    return parts.scheme, parts.hostname or "", port


@asynccontextmanager
async def open_line(settings: Settings) -> AsyncIterator[Line]:
    """Share the connections to a device's host with every other device of this event loop.

    Raises:
        DeviceRefusedError: the file of the trusted authority cannot be used.

    """
    url = settings.url or ""
    key = ("{}://{}:{}".format(*origin_of(url)), str(settings.ca_file or ""))
    host = _hosts.setdefault(asyncio.get_running_loop(), {}).setdefault(key, Host())
    if host.client is None:
        host.client = _make_client(settings.ca_file if url.startswith("https:") else None)
    host.users += 1
    try:
        yield Line(host, url, settings.timeout_s)
    finally:
        host.users -= 1
        if not host.users:
            client, host.client = host.client, None
            await client.aclose()


def _make_client(ca_file: Path | None) -> "httpx.AsyncClient":  # noqa: TID251 - the one place
    return httpx.AsyncClient(  # noqa: TID251 - the one place
        verify=_trust(ca_file),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - asyncio.timeout holds for the whole exchange
        cookies=CookieJar(
            DefaultCookiePolicy(allowed_domains=[])
        ),  # none is kept: hosts are shared
        headers={"User-Agent": "tidegate", "Accept": "application/json, */*;q=0.5"},
        limits=httpx.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_S,
        ),
    )


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        msg = f"'ca_file' {ca_file} cannot be used: {exc}"
        raise DeviceRefusedError(msg, hint="It must hold certificates in PEM.") from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
