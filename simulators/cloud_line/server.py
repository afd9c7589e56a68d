"""The simulated cloud behind TLS, in this very event loop."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jwt
import msgspec
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cloud_sync.wire import paths, problems
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.identity import (
    ASSERTION_ALGORITHM,
    EnrolReply,
    EnrolRequest,
    StreamsReply,
    StreamState,
    parse_claim,
)
from cloud_sync.wire.ranges import of_numbers, render
from cloud_sync.wire.uplink import MEDIA_TYPE, decode_upload
from simulators.cloud_line.books import Books

Handler = Callable[[Request], Awaitable[Response]]

TOKEN_LIFE_S = 900


class LostAnswer(Response):
    """Breaks off after the head, so that the server ends the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the head only."""
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})


@dataclass(slots=True)
class CloudLine:
    """Answers gateways.

    ``faults`` are given one an upload in place of handling it, ``enrolments`` one an enrolment.
    """

    books: Books = field(default_factory=Books)
    faults: deque[Response] = field(default_factory=deque)
    enrolments: deque[Response] = field(default_factory=deque)
    lost_answers: int = 0
    """So many enrolments or uploads are handled, and the answer is broken off."""
    refused_tokens: list[str] = field(default_factory=list)
    secrets_seen: list[str] = field(default_factory=list)
    """Bodies of enrolment requests."""
    listeners: int = 0
    silent: bool = False
    """The downlink opens and then says nothing."""
    address: str = "127.0.0.1"
    """The one that its certificate is for."""
    port: int = 0
    ports: list[int] = field(default_factory=list)
    """Further ports by which gateways reach it, a :class:`~simulators.line.proxy.LineProxy` say."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where gateways reach this cloud."""
        return f"https://127.0.0.1:{self.port}"

    def send_document(self, document: Document) -> None:
        """Have a document for the gateway."""
        self.books.documents[document.id] = document
        self._news.set()

    def app(self) -> Starlette:
        """Give the application."""
        acknowledge = paths.DOCUMENT_ACKNOWLEDGE
        return Starlette(
            routes=[
                Route(paths.AUTHORITY, self._authority),
                Route(paths.ENROL, self._enrol, methods=["POST"]),
                Route(paths.TOKEN, self._token, methods=["POST"]),
                Route(paths.UPLINK, self._guarded(self._uplink), methods=["POST"]),
                Route(paths.DOWNLINK, self._guarded(self._downlink)),
                Route(acknowledge, self._guarded(self._acknowledge), methods=["POST"]),
                Route(paths.STREAMS, self._guarded(self._streams)),
            ]
        )

    def _guarded(self, handler: Handler) -> Handler:
        async def guard(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.books.tokens:
                self.refused_tokens.append(token)
                return problem(401, problems.Problem.NOT_SIGNED_IN)
            return await handler(request)

        return guard

    async def _authority(self, _: Request) -> Response:
        return Response(self.books.authority.pem, media_type="text/plain")

    async def _enrol(self, request: Request) -> Response:
        body = await request.body()
        self.secrets_seen.append(body.decode())
        if self.enrolments:
            return self.enrolments.popleft()
        asked = EnrolRequest.model_validate_json(body)
        signing = x509.load_pem_x509_csr(asked.csr.encode())
        enrolled = self.books.enrol(parse_claim(asked.claim), signing)
        if enrolled is None:
            return problem(403, problems.Problem.CLAIM_REFUSED)
        reply = EnrolReply(
            gateway=enrolled.id,
            tenant="tenant-1",
            site="site-1",
            certificate=enrolled.certificate.public_bytes(Encoding.PEM).decode(),
            authority=self.books.authority.pem.decode(),
        )
        return self._maybe_lost(JSONResponse(reply.model_dump(), status_code=201))

    async def _token(self, request: Request) -> Response:
        form = dict(item.split("=", 1) for item in (await request.body()).decode().split("&"))
        assertion = form["client_assertion"]
        gateway = self.books.find(str(jwt.get_unverified_header(assertion).get("kid")))
        key = None if gateway is None else gateway.certificate.public_key()
        if not isinstance(key, EllipticCurvePublicKey):
            return problem(401, problems.Problem.NOT_SIGNED_IN)
        urls = [f"https://127.0.0.1:{port}{paths.TOKEN}" for port in (self.port, *self.ports)]
        try:
            jwt.decode(assertion, key, [ASSERTION_ALGORITHM], audience=urls)
        except jwt.InvalidTokenError as exc:
            return problem(401, problems.Problem.NOT_SIGNED_IN, str(exc))
        token = secrets.token_urlsafe(8)
        self.books.tokens.add(token)
        self.books.tokens_issued += 1
        reply = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S}
        return JSONResponse(reply)

    async def _uplink(self, request: Request) -> Response:
        body = await request.body()
        if self.faults:
            return self.faults.popleft()
        reply = self.books.ingest(decode_upload(body))
        return self._maybe_lost(Response(msgspec.msgpack.encode(reply), media_type=MEDIA_TYPE))

    async def _downlink(self, _: Request) -> Response:
        self.listeners += 1
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncGenerator[bytes]:
        sent: set[str] = set()
        yield b": open\n\n"
        while True:
            self._news.clear()
            for document in [] if self.silent else list(self.books.documents.values()):
                if document.id not in sent:
                    sent.add(document.id)
                    data = msgspec.json.encode(document)
                    yield b"event: document\nid: %b\ndata: %b\n\n" % (document.id.encode(), data)
            await self._news.wait()

    async def _acknowledge(self, request: Request) -> Response:
        document = request.path_params["document"]
        if self.books.documents.pop(document, None) is None:
            return problem(404, problems.Problem.NOT_FOUND)
        self.books.acknowledged.append(document)
        return Response(status_code=204)

    async def _streams(self, _: Request) -> Response:
        states = [
            StreamState(
                stream=stream,
                epoch=epoch,
                received=render(of_numbers(batches)),
                lost="{}",
                samples=sum(batch.count for batch in batches.values()),
            )
            for (stream, epoch), batches in self.books.batches.items()
        ]
        return JSONResponse(StreamsReply(streams=states).model_dump())

    def _maybe_lost(self, answer: Response) -> Response:
        if self.lost_answers == 0:
            return answer
        self.lost_answers -= 1
        return LostAnswer(status_code=answer.status_code)


def problem(status: int, code: problems.Problem, detail: str = "") -> Response:
    """Answer as the real cloud does."""
    body = {"type": problems.TYPE_BASE + code, "title": code, "status": status, "code": code}
    content = json.dumps({**body, "detail": detail or code})
    return Response(content, status, media_type=problems.MEDIA_TYPE)


@asynccontextmanager
async def serving(folder: Path, cloud: CloudLine) -> AsyncIterator[CloudLine]:
    """Serve a simulated cloud on a free port of the loopback; ``folder`` takes its TLS files."""
    certificate, key = cloud.books.authority.write_server(folder, cloud.address)
    config = uvicorn.Config(
        cloud.app(),
        port=cloud.port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        lifespan="off",
        ws="none",
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - all that uvicorn offers
        await asyncio.sleep(0.005)
    cloud.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield cloud
    finally:
        server.should_exit = server.force_exit = True
        await running
