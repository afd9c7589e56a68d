"""What the feed has to show afresh, and when. Pure: the time is given.

Each subject is on the agenda once, however often it changed. A gateway is shown at most twice a
second; while it is in contact also every few seconds, as its ages and counts move; and once when it
falls silent.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from cloud_api.registry.states import SILENT_AFTER

SPACING_S = 0.5
"""Between two showings of one gateway."""
REFRESH_S = 5.0
"""A gateway in contact is shown at least this often."""
SILENT_S = SILENT_AFTER.total_seconds() + 0.1
MAX_ITEMS = 20_000


class Topic(StrEnum):
    """What an event of the feed is about, and its name there."""

    ALERT = "alert"
    COMMAND = "command"
    DEVICE = "device"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Item:
    """One subject of one tenant."""

    tenant: UUID
    topic: Topic
    id: UUID | str


@dataclass(slots=True)
class _Contact:
    tenant: UUID
    seen: float
    shown: float
    state: object


@dataclass(slots=True)
class Agenda:
    """Subjects by when they are due."""

    _due: "OrderedDict[Item, float]" = field(default_factory=OrderedDict)
    _contacts: dict[UUID, _Contact] = field(default_factory=dict)

    def add(self, item: Item, now: float) -> bool:
        """Show a subject soon; False when the agenda is full."""
        if item in self._due:
            return True
        if len(self._due) >= MAX_ITEMS:
            return False
        contact = self._contacts.get(item.id) if isinstance(item.id, UUID) else None
        spaced = contact is not None and item.topic is Topic.GATEWAY
        self._due[item] = max(now, contact.shown + SPACING_S) if contact and spaced else now
        return True

    def contact(self, tenant: UUID, gateway: UUID, state: object, now: float) -> None:
        """Note that a gateway was in contact; ``state`` is whatever is worth showing at once."""
        known = self._contacts.get(gateway)
        if known is None:
            known = self._contacts[gateway] = _Contact(tenant, now, -SPACING_S, None)
        known.seen = now
        if known.state != state or now - known.shown >= REFRESH_S:
            known.state = state
            self.add(Item(tenant, Topic.GATEWAY, gateway), now)

    def take(self, now: float) -> list[Item]:
        """Take out what is due, gateways that fell silent among it."""
        for gateway, contact in list(self._contacts.items()):
            if now - contact.seen > SILENT_S:
                self.add(Item(contact.tenant, Topic.GATEWAY, gateway), now)
                del self._contacts[gateway]
        due = [item for item, at in self._due.items() if at <= now]
        for item in due:
            del self._due[item]
            if item.topic is Topic.GATEWAY and isinstance(item.id, UUID):
                known = self._contacts.get(item.id)
                if known is not None:
                    known.shown = now
        return due
