"""Frames on the socket: length and CRC-32 of the body (4 bytes each, big-endian), then the body."""

import asyncio
import struct
import zlib

from cloud_sync.wire.version import MAX_PAYLOAD_BYTES
from edge_runtime.errors import AdapterLinkError

HEADER = struct.Struct(">II")
MAX_BODY_BYTES = MAX_PAYLOAD_BYTES + (64 << 10)
"""A batch's largest payload, and what goes around it."""


def pack_frame(body: bytes) -> bytes:
    """Put a body into a frame.

    Raises:
        AdapterLinkError: it is too large.

    """
    if len(body) > MAX_BODY_BYTES:
        msg = f"a message may have {MAX_BODY_BYTES} bytes, this one has {len(body)}"
        raise AdapterLinkError(msg)
    return HEADER.pack(len(body), zlib.crc32(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read the next body.

    Raises:
        AdapterLinkError: the other side went, or what came is no frame.

    """
    try:
        length, checksum = HEADER.unpack(await reader.readexactly(HEADER.size))
        if length > MAX_BODY_BYTES:
            msg = f"a message may have {MAX_BODY_BYTES} bytes, this one says {length}"
            raise AdapterLinkError(msg)
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError as exc:
        msg = "the other side went away"
        raise AdapterLinkError(msg) from exc
    except OSError as exc:
        msg = f"the other side went away: {exc}"
        raise AdapterLinkError(msg) from exc
    if zlib.crc32(body) != checksum:
        msg = "a message does not match its checksum"
        raise AdapterLinkError(msg)
    return body
