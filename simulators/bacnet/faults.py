"""What a simulated BACnet device does wrong on demand; changed while it serves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

GARBAGE = b"HTTP/1.1 400 Bad Request\r\n\r\n"


def never(_: float) -> bool:
    """Tell that a device always answers."""
    return False


@dataclass
class Faults:
    """Nothing is wrong until something is set."""

    silent: bool = False
    """Never answers, neither requests nor Who-Is."""
    flapping: Callable[[float], bool] = never
    """By seconds after the start: whether it is silent."""
    slow_s: float = 0.0
    """Thinks so long before it answers."""
    errors: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    """Objects (type, instance) that answer with this error class and code."""
    sour: set[tuple[str, int]] = field(default_factory=set)
    """Objects for which a ReadPropertyMultiple fails as a whole."""
    no_many: bool = False
    """Does not know ReadPropertyMultiple."""
    most_objects: int | None = None
    """More of them in one ReadPropertyMultiple are too long an answer."""
    refuse_cov: bool = False
    hide_cov: bool = False
    """Does not name COV among its services."""
    max_subscriptions: int | None = None
    """More are refused for want of room."""
    mute_reports: bool = False
    """Accepts subscriptions and never reports."""
    garbage: bool = False
    """Sends something that is not BACnet."""
    half: bool = False
    """Sends the first half of each message."""
    once: list[str] = field(default_factory=list)
    """``silent``, ``garbage`` or ``half`` for the next messages that are sent, one each."""
    asked: list[str] = field(default_factory=list)
    """Names of the services that were asked for, in their order."""

    def spoil(self, data: bytes, elapsed: float) -> bytes | None:
        """Give what is sent in the place of a message; None for nothing."""
        fault = self.once.pop(0) if self.once else ""
        if self.silent or fault == "silent" or self.flapping(elapsed):
            return None
        if self.garbage or fault == "garbage":
            return GARBAGE
        if self.half or fault == "half":
            return data[: len(data) // 2]
        return data

    async def think(self) -> None:
        """Take the time that the device takes."""
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
