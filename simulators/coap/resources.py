"""What a simulated CoAP device holds: resources that are read, observed and written."""

from collections.abc import Callable
from dataclasses import dataclass

CONTENT, CHANGED = 0x45, 0x44
BAD_REQUEST, NOT_FOUND, NOT_ALLOWED = 0x80, 0x84, 0x85
SERVICE_UNAVAILABLE = 0xA3
TEXT, LINKS, JSON, CBOR = 0, 40, 50, 60


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer or notification."""

    code: int = CONTENT
    payload: bytes = b""
    content_format: int | None = None
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource."""

    get: Callable[[], bytes]
    content_format: int | None = TEXT
    observable: bool = False
    put: Callable[[bytes], bool] | None = None
    """Takes a new value, or tells that it is none; no function: it cannot be written."""
    title: str = ""
    max_age: int | None = None

    def read(self) -> Reply:
        """Answer a GET."""
        return Reply(CONTENT, self.get(), self.content_format, self.max_age)

    def write(self, payload: bytes) -> Reply:
        """Answer a PUT or POST."""
        if self.put is None:
            return Reply(NOT_ALLOWED)
        return Reply(CHANGED) if self.put(payload) else Reply(BAD_REQUEST, b"not this value")

    def link(self, path: str) -> str:
        """Describe it (RFC 6690)."""
        title = f';title="{self.title}"' if self.title else ""
        named = "" if self.content_format is None else f";ct={self.content_format}"
        return f"<{path}>{title}{named}" + (";obs" if self.observable else "")
