"""Server-sent events, as far as a gateway needs them. Pure: bytes in, events out, bounded.

The format is the one of the HTML standard, section 9.2.6; ``retry`` is ignored because the gateway
has a back-off of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cloud_sync.errors import AnswerInvalidError
from cloud_sync.wire.version import MAX_DOCUMENT_BYTES

MAX_EVENT_BYTES = MAX_DOCUMENT_BYTES + 4096
"""Longest event that is collected, its field names included."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event; a comment is an event without a name and without data."""

    name: str
    id: str
    data: bytes


SIGN_OF_LIFE = ServerEvent("", "", b"")


class EventParser:
    """Collects the bytes of one connection into events."""

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        """Refuse anything longer than ``max_bytes``."""
        self._max_bytes = max_bytes
        self._rest = b""
        self._size = 0
        self._fields: dict[bytes, bytes] = {}
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Take the next bytes and give the events that they complete.

        Raises:
            AnswerInvalidError: an event longer than the limit.

        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._check(len(self._rest))
        for line in lines:
            event = self._line(line.removesuffix(b"\r"))
            if event is not None:
                yield event

    def _line(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._complete()
        if line.startswith(b":"):
            return SIGN_OF_LIFE
        self._size += len(line)
        self._check(0)
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        else:
            self._fields[field] = value
        return None

    def _complete(self) -> ServerEvent | None:
        fields, data = self._fields, self._data
        self._fields, self._data, self._size = {}, [], 0
        if not data:
            return None
        name = fields.get(b"event", b"message").decode(errors="replace")
        return ServerEvent(name, fields.get(b"id", b"").decode(errors="replace"), b"\n".join(data))

    def _check(self, waiting: int) -> None:
        if self._size + waiting > self._max_bytes:
            msg = f"an event of the downlink is longer than {self._max_bytes} bytes"
            raise AnswerInvalidError(msg)
