"""What an HTTP device does wrong, in the place of its answer."""

import asyncio
from dataclasses import dataclass


class Fault:
    """The base class changes nothing."""

    async def apply(self, whole: bytes) -> bytes | None:
        """Give the bytes to send for a whole answer; None hangs up."""
        return whole


class Silence(Fault):
    """Never answers."""

    async def apply(self, whole: bytes) -> bytes:
        """Wait until the other side leaves."""
        _ = whole
        await asyncio.Event().wait()
        return b""


class HangUp(Fault):
    """Closes the connection."""

    async def apply(self, whole: bytes) -> None:
        """Close."""
        _ = whole


@dataclass(frozen=True)
class Slow(Fault):
    """Answers late."""

    seconds: float

    async def apply(self, whole: bytes) -> bytes:
        """Wait, then answer."""
        await asyncio.sleep(self.seconds)
        return whole


@dataclass(frozen=True)
class Status(Fault):
    """Answers with an error."""

    status: int
    headers: str = ""
    """More lines of the head, each ended by CRLF."""
    body: bytes = b"{}"

    async def apply(self, whole: bytes) -> bytes:
        """Send the error."""
        _ = whole
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.body)}\r\n{self.headers}\r\n"
        return head.encode() + self.body


@dataclass(frozen=True)
class WrongLength(Fault):
    """Promises more bytes than it sends, then hangs up; or fewer."""

    by: int

    async def apply(self, whole: bytes) -> bytes:
        """Change the length; the server closes after it."""
        head, _, body = whole.partition(b"\r\n\r\n")
        lines = [
            b"Content-Length: %d" % max(0, len(body) + self.by)
            if line.lower().startswith(b"content-length")
            else line
            for line in head.split(b"\r\n")
        ]
        return b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n" + body


@dataclass(frozen=True)
class Body(Fault):
    """Answers 200 with something else: half a document, a web page, NaN."""

    data: bytes
    media_type: str = "application/json"

    async def apply(self, whole: bytes) -> bytes:
        """Send it."""
        _ = whole
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {self.media_type}\r\n"
            f"Content-Length: {len(self.data)}\r\n\r\n"
        )
        return head.encode() + self.data


class Truncated(Fault):
    """Answers with the first half of the JSON, in a frame that is well formed."""

    async def apply(self, whole: bytes) -> bytes:
        """Cut the document."""
        _, _, body = whole.partition(b"\r\n\r\n")
        return await Body(body[: len(body) // 2]).apply(whole)


@dataclass(frozen=True)
class Garbage(Fault):
    """Sends bytes that are not HTTP."""

    data: bytes = b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01"

    async def apply(self, whole: bytes) -> bytes:
        """Send them."""
        _ = whole
        return self.data


class Half(Fault):
    """Sends the first half of the answer and stops."""

    async def apply(self, whole: bytes) -> bytes:
        """Cut the bytes."""
        return whole[: len(whole) // 2]


class Flapping(Fault):
    """Answers every other time."""

    def __init__(self) -> None:
        self._turn = 0

    async def apply(self, whole: bytes) -> bytes | None:
        """Answer, hang up, answer."""
        self._turn += 1
        return whole if self._turn % 2 else None
