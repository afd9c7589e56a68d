"""The downlink of the gateway's API: what cannot be read is skipped, what follows is not."""

from contextlib import aclosing

import msgspec

from cloud_sync.transports.gateway_api import GatewayApi
from cloud_sync.wire.downlink import Document

GOOD = Document("d2", "command", 1, 2, {"name": "refresh"})


class Wire:
    """A connection and a token that bring bytes."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def get(self) -> str:
        return "token"

    async def listen(self, request, accept):
        for chunk in self.chunks:
            yield chunk


def sent(ident: bytes, data: bytes) -> bytes:
    return b"event: document\nid: " + ident + b"\ndata: " + data + b"\n\n"


async def received(*chunks):
    wire = Wire(*chunks)
    async with aclosing(GatewayApi(wire, wire).documents()) as documents:
        return [document async for document in documents]


async def test_a_document_that_is_not_utf_8_is_skipped():
    strange = sent(b"d1", msgspec.json.encode(GOOD).replace(b"refresh", b"\xff"))
    assert await received(strange, sent(b"d2", msgspec.json.encode(GOOD))) == [None, GOOD]


async def test_a_document_that_is_not_json_is_skipped():
    assert await received(sent(b"d1", b"<html>")) == [None]
