"""The gateway's side of the cloud API over HTTPS: the default transport."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote

import msgspec

from cloud_sync.errors import TokenRefusedError
from cloud_sync.identity.files import Identity
from cloud_sync.identity.token import AccessToken
from cloud_sync.stores import Clock
from cloud_sync.transports.answers import Answer, document_of, expect, refusal, reply_of
from cloud_sync.transports.events import EventParser
from cloud_sync.transports.https import PATIENCE, HttpsClient, Patience, Request, open_client
from cloud_sync.wire import paths
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.identity import StreamsReply
from cloud_sync.wire.uplink import MEDIA_TYPE, Upload, UploadReply

log = logging.getLogger(__name__)

_document = msgspec.json.Decoder(Document)


class GatewayApi:
    """Every call carries the access token; one that is refused is renewed once."""

    def __init__(self, client: HttpsClient, token: AccessToken) -> None:
        """Share ``client`` between all calls: two kept connections serve uplink and downlink."""
        self._client = client
        self._token = token

    async def send(self, upload: Upload) -> UploadReply:
        """Post an upload."""
        body = msgspec.msgpack.encode(upload)
        headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        return reply_of(await self._ask(Request("POST", paths.UPLINK, body, headers=headers)))

    async def documents(self) -> AsyncGenerator[Document | None]:
        """Listen to the downlink; None is a sign of life.

        A document that cannot be read is skipped: it was not acknowledged, so the cloud sees it
        expire.
        """
        parser = EventParser()
        async with aclosing(self._listen(Request("GET", paths.DOWNLINK))) as chunks:
            async for chunk in chunks:
                if not chunk:
                    yield None
                for event in parser.feed(chunk):
                    yield _read_document(event.id, event.data) if event.name == "document" else None

    async def acknowledge_document(self, document: str) -> None:
        """Tell the cloud that a document is stored; one that it no longer knows is as good."""
        path = paths.DOCUMENT_ACKNOWLEDGE.format(document=quote(document, safe=""))
        answer = await self._ask(Request("POST", path))
        if answer.status != HTTPStatus.NOT_FOUND:
            expect(answer, HTTPStatus.NO_CONTENT, "")

    async def streams(self) -> StreamsReply:
        """Ask what the cloud has of every stream."""
        return document_of(
            await self._ask(Request("GET", paths.STREAMS)), HTTPStatus.OK, StreamsReply
        )

    async def _ask(self, request: Request) -> Answer:
        token = await self._token.get()
        answer = await self._client.ask(_with_token(request, token))
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._token.drop(token)
        answer = await self._client.ask(_with_token(request, await self._token.get()))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise refusal(answer)
        return answer

    async def _listen(self, request: Request) -> AsyncGenerator[bytes]:
        token = await self._token.get()
        listening = self._client.listen(_with_token(request, token), "text/event-stream")
        try:
            async with aclosing(listening) as chunks:
                async for chunk in chunks:
                    yield chunk
        except TokenRefusedError:
            self._token.drop(token)
            raise


@asynccontextmanager
async def open_gateway_api(
    identity: Identity, url: str, clock: Clock, patience: Patience = PATIENCE
) -> AsyncIterator[GatewayApi]:
    """Open the API of the cloud at ``url``, trusting the authority pinned at enrolment only."""
    async with open_client(url, identity.authority, patience) as client:
        yield GatewayApi(client, AccessToken(client, identity, url, clock))


def _with_token(request: Request, token: str) -> Request:
    return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})


def _read_document(document: str, data: bytes) -> Document | None:
    try:
        return _document.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        log.warning("a document cannot be read", extra={"document": document, "error": str(exc)})
        return None
