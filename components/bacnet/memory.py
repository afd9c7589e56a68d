"""What is known of a device beyond one opening: the runtime opens it again after every outage."""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from bacpypes3.pdu import Address

from components.bacnet import limits
from components.bacnet.messages import ObjectId
from components.bacnet.settings import Settings

MAX_DEVICES = 10_000
"""More than any gateway could read; past it everything is forgotten."""
FEW = 3
"""Objects that must be read one property at a time before the whole device is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is, and what it can."""

    address: Address
    instance: int | None
    max_apdu: int = limits.SAFE_APDU
    services: int | None = None
    """Bits of BACnetServicesSupported; None where the device does not say."""

    def serves(self, service: int) -> bool:
        """Tell whether it is worth asking for a service."""
        return self.services is None or bool(self.services >> limits.SERVICE_BITS[service] & 1)


@dataclass(slots=True)
class Learned:
    """How the device wants to be read."""

    many: bool = True
    """It serves ReadPropertyMultiple."""
    many_worked: bool = False
    room: int | None = None
    """Bytes of an answer that it could send; None while its own word was never wrong."""
    apart: set[ObjectId] = field(default_factory=set)
    """Objects for which it refuses a ReadPropertyMultiple as a whole."""
    without_flags: set[ObjectId] = field(default_factory=set)
    """Objects that have no status flags."""

    def refuse_many(self, place: ObjectId) -> None:
        """Note that even alone this object cannot be read by ReadPropertyMultiple."""
        self.apart.add(place)
        if len(self.apart) >= FEW and not self.many_worked:
            self.many = False

    def shrink(self, room: int) -> None:
        """Note that an answer of more than so many bytes was too long."""
        self.room = room if self.room is None else min(self.room, room)


@dataclass(slots=True)
class Memory:
    """Of one device, for as long as its settings stay the same."""

    settings: Settings
    place: Place | None = None
    """Forgotten when it falls silent there: it may have moved."""
    answered_at: float = 0.0
    """By the loop's clock."""
    learned: Learned = field(default_factory=Learned)


_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Memory]] = (
    WeakKeyDictionary()
)
"""By event loop, so that it ends with the loop, and by name and address."""


def recall(settings: Settings) -> Memory:
    """Give what is known of a device; nothing when its settings changed."""
    memories = _memories.setdefault(asyncio.get_running_loop(), {})
    key = (settings.name, settings.at)
    known = memories.get(key)
    if known is None or known.settings != settings:
        if len(memories) >= MAX_DEVICES:
            memories.clear()
        known = memories[key] = Memory(settings)
    return known
