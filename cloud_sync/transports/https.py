"""The one place that makes HTTP clients: TLS 1.2 or newer, trust pinned, everything bounded.

A client trusts the authority that it was given and no other, so that a certificate of any public
authority does not make a server our cloud. It takes no proxy and no certificates from the
environment, follows no redirect and never reads an answer past its limit.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from cloud_sync.errors import (
    AnswerInvalidError,
    CloudUnreachableError,
    LineDownError,
    LineError,
    UntrustedCloudError,
)
from cloud_sync.transports.answers import Answer, expect

KEEP_ALIVE_S = 60.0
MAX_CONNECTIONS = 4
MAX_ANSWER_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 14

_LIMITS = httpx.Limits(
    max_connections=MAX_CONNECTIONS,
    max_keepalive_connections=MAX_CONNECTIONS,
    keepalive_expiry=KEEP_ALIVE_S,
)
_UNTRUSTED_HINT = (
    "another server answers under the cloud's address, or the cloud was set up anew; if it was, "
    "remove the folder 'identity' and enrol with a new claim"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the other side may keep us waiting."""

    connect_s: float = 5.0
    """TCP and TLS handshake."""
    answer_s: float = 10.0
    """Longest silence while a request is sent or answered; finds a half-open connection."""
    silence_s: float = 30.0
    """Longest silence of the downlink, on which the cloud pings every 10 s."""

    @property
    def asking(self) -> httpx.Timeout:
        """For a request with an answer."""
        return httpx.Timeout(self.answer_s, connect=self.connect_s)

    @property
    def listening(self) -> httpx.Timeout:
        """For an answer that does not end."""
        return httpx.Timeout(self.answer_s, connect=self.connect_s, read=self.silence_s)


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a path below the cloud's address."""

    method: str
    path: str
    content: bytes | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpsClient:
    """Sends requests to one cloud over kept connections."""

    def __init__(
        self,
        client: "httpx.AsyncClient",  # noqa: TID251 - the one place
        patience: Patience,
    ) -> None:
        """Take a client of :func:`open_client`."""
        self._client = client
        self._patience = patience

    async def ask(self, request: Request) -> Answer:
        """Send a request and read the whole answer.

        Raises:
            LineError: no connection, no answer in time, or too long an answer.

        """
        with _mapped_errors():
            async with self._stream(request, self._patience.asking) as response:
                return await _read(response)

    async def listen(self, request: Request, media_type: str) -> AsyncGenerator[bytes]:
        """Send a request and give the bytes of an answer that does not end; empty when it opens.

        Raises:
            LineError: refused, ended by force, or silent for too long.

        """
        with _mapped_errors():
            async with self._stream(request, self._patience.listening) as response:
                opened = response.status_code == HTTPStatus.OK
                expect(
                    _head(response) if opened else await _read(response), HTTPStatus.OK, media_type
                )
                yield b""
                async for chunk in response.aiter_raw():
                    yield chunk

    @asynccontextmanager
    async def _stream(
        self, request: Request, limits: httpx.Timeout
    ) -> AsyncIterator[httpx.Response]:
        async with self._client.stream(
            request.method,
            request.path,
            content=request.content,
            data=request.form,
            headers={"Accept-Encoding": "identity", **request.headers},
            timeout=limits,
        ) as response:
            yield response


@asynccontextmanager
async def open_client(
    url: str, authority: str | None, patience: Patience = PATIENCE
) -> AsyncIterator[HttpsClient]:
    """Open a client for the cloud at ``url``; ``authority`` is the PEM that it trusts.

    Without an authority nothing is verified. That is for the first look at a cloud's own
    certificate only (:mod:`cloud_sync.identity.enrolment`), which carries no secret.

    Raises:
        LineDownError: the url is not one of https.

    """
    if not url.startswith("https://"):
        msg = f"the cloud's url must begin with https://, not '{url[:60]}'"
        raise LineDownError(msg, hint="mend gateway.cloud.url in gateway.yaml")
    async with httpx.AsyncClient(  # noqa: TID251 - the one place
        base_url=url,
        verify=_trust(authority),
        timeout=patience.asking,
        limits=_LIMITS,
        follow_redirects=False,
        trust_env=False,
    ) as client:
        yield HttpsClient(client, patience)


def _trust(authority: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=authority)
    return context


async def _read(response: httpx.Response) -> Answer:
    body = bytearray()
    async for chunk in response.aiter_raw(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            msg = f"the answer is longer than {MAX_ANSWER_BYTES} bytes"
            raise AnswerInvalidError(msg)
    return _head(response, bytes(body))


def _head(response: httpx.Response, body: bytes = b"") -> Answer:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    retry_after = response.headers.get("retry-after", "").strip()
    date_us = _time_us(response.headers.get("date", ""))
    return Answer(response.status_code, media_type, body, retry_after, date_us)


def _time_us(date: str) -> int | None:
    try:
        return round(parsedate_to_datetime(date).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None


@contextmanager
def _mapped_errors() -> Iterator[None]:
    """Turn httpx's errors into ours.

    Raises:
        LineError: in place of any :class:`httpx.HTTPError`.

    """
    try:
        yield
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as exc:
        raise _line_error(exc) from exc


def _line_error(error: Exception) -> LineError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            msg = f"the cloud's certificate is not trusted: {cause.verify_message}"
            return UntrustedCloudError(msg, hint=_UNTRUSTED_HINT)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return LineDownError(f"no answer in time ({type(error).__name__})")
    if isinstance(error, httpx.ConnectError):
        return CloudUnreachableError(f"no connection to the cloud: {error}")
    return LineDownError(str(error) or type(error).__name__)
