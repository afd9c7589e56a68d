"""What the agent posts and what the cloud answers. Only this answer lets the edge delete."""

from enum import StrEnum

import msgspec

from cloud_sync.wire.errors import MessageDamagedError, MessageInvalidError
from cloud_sync.wire.version import MAX_UPLOAD_BATCHES

MEDIA_TYPE = "application/vnd.tidegate.upload+msgpack"


class Backlog(msgspec.Struct, frozen=True):
    """What still waits on the gateway after this upload."""

    batches: int
    samples: int
    oldest_us: int | None = None
    """Gateway time of the oldest sample not acknowledged."""


class Upload(msgspec.Struct):
    """One request: sealed batches in any order, and what stays behind. No batches: a heartbeat."""

    backlog: Backlog
    version: str
    batches: list[bytes] = []


class Outcome(StrEnum):
    """What became of a batch. ``STORED`` and ``DUPLICATE`` are acknowledgements."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class BatchResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cloud's word on one batch."""

    stream: str
    epoch: str
    seq: int
    outcome: Outcome
    reason: str = ""
    """Why it was refused: ``clone``, ``damaged`` or ``invalid``."""


class UploadReply(msgspec.Struct):
    """One result a batch, in the order of the upload."""

    results: list[BatchResult]


_upload = msgspec.msgpack.Decoder(Upload)
_reply = msgspec.msgpack.Decoder(UploadReply)


def decode_upload(body: bytes) -> Upload:
    """Read the body of an upload.

    Raises:
        MessageDamagedError: not msgpack of this shape.
        MessageInvalidError: more than ``MAX_UPLOAD_BATCHES`` batches.

    """
    try:
        upload = _upload.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        msg = f"not an upload: {exc}"
        raise MessageDamagedError(msg) from exc
    if len(upload.batches) > MAX_UPLOAD_BATCHES:
        msg = f"an upload holds at most {MAX_UPLOAD_BATCHES} batches, not {len(upload.batches)}"
        raise MessageInvalidError(msg)
    return upload


def decode_reply(body: bytes) -> UploadReply:
    """Read the cloud's answer; anything else (a proxy's page, say) is no acknowledgement.

    Raises:
        MessageDamagedError: not msgpack of this shape.

    """
    try:
        return _reply.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        msg = f"not an answer of the cloud: {exc}"
        raise MessageDamagedError(msg) from exc
