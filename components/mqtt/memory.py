"""What is known of a device beyond one opening: the runtime opens it again after every outage."""

import asyncio
from dataclasses import dataclass
from weakref import WeakKeyDictionary

MAX_DEVICES = 10_000
"""Past it everything is forgotten."""
TELL_TIMES = 2
"""The runtime calls a device silent after two failures in a row; from then on it is waited for."""


@dataclass(slots=True)
class Memory:
    """Of one device."""

    told: int = 0
    """How often in a row it was told that the device is away."""

    def tell(self) -> bool:
        """Note that the device is away; says whether the runtime does not know yet."""
        self.told += 1
        return self.told <= TELL_TIMES

    def returned(self) -> None:
        """Note that it is there."""
        self.told = 0


_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Memory]] = WeakKeyDictionary()
"""By event loop, so that it ends with the loop, and by the device's name and address."""


def recall(device: str) -> Memory:
    """Give what is known of a device."""
    memories = _memories.setdefault(asyncio.get_running_loop(), {})
    if len(memories) >= MAX_DEVICES:
        memories.clear()
    return memories.setdefault(device, Memory())
