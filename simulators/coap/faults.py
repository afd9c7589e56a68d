"""What a simulated CoAP device does in the place of its answer."""

import asyncio
from dataclasses import dataclass, replace

from simulators.coap.resources import SERVICE_UNAVAILABLE, Reply


class Fault:
    """Changes nothing; the others do."""

    async def apply(self, reply: Reply) -> Reply | None:
        """Give what to answer; None for nothing."""
        return reply


class Silence(Fault):
    """Never answers."""

    async def apply(self, reply: Reply) -> None:
        """Send nothing."""
        _ = reply


@dataclass(frozen=True)
class Slow(Fault):
    """Answers late."""

    seconds: float

    async def apply(self, reply: Reply) -> Reply:
        """Wait, then answer."""
        await asyncio.sleep(self.seconds)
        return reply


@dataclass(frozen=True)
class Refuse(Fault):
    """Answers with an error code."""

    code: int = SERVICE_UNAVAILABLE
    diagnostic: bytes = b""

    async def apply(self, reply: Reply) -> Reply:
        """Send the code."""
        _ = reply
        return Reply(self.code, self.diagnostic)


@dataclass(frozen=True)
class Garbage(Fault):
    """Sends bytes that are no value."""

    payload: bytes = b"\xff\xfe{]"

    async def apply(self, reply: Reply) -> Reply:
        """Send them in the place of the payload."""
        return replace(reply, payload=self.payload)


@dataclass(frozen=True)
class WrongFormat(Fault):
    """Names another content format than it sends."""

    content_format: int | None = 42

    async def apply(self, reply: Reply) -> Reply:
        """Change the name."""
        return replace(reply, content_format=self.content_format)
