"""Events of the gateway itself, ready for the outbox."""

import uuid

import msgspec

from cloud_sync.wire.events import Event, EventKind


def make_event(kind: EventKind, body: msgspec.Struct, time_us: int, *, name: str = "") -> Event:
    """Put a body into an envelope; ``name`` is the event's id where it must be a certain one."""
    return Event(name or str(uuid.uuid4()), kind.value, time_us, msgspec.to_builtins(body))
