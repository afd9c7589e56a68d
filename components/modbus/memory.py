"""What is known of a device beyond one opening: the runtime opens it again after every outage."""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from components.modbus.learned import Learned
from components.modbus.settings import Settings, Table

MAX_DEVICES = 10_000
"""More than any line could be polled for; past it everything is forgotten."""


@dataclass(slots=True)
class Memory:
    """Of one device, for as long as its settings stay the same."""

    settings: Settings
    learned: Learned = field(init=False)
    silent: frozenset[tuple[Table, int]] = frozenset()
    """Where the requests begin that were not answered last time."""
    was_good: bool = False
    """It gave at least one good value."""

    def __post_init__(self) -> None:
        self.learned = Learned(self.settings.unreadable)


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
