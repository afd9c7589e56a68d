"""Who waits for commands, and who wants to know how they go. In this process."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from cloud_api.errors import TooManyError

MAX_DOWNLINKS = 8
"""Open downlinks of one gateway: its own, and those that a dead line left behind."""
Listener = Callable[[UUID, Collection[UUID]], None]
"""Takes a tenant and the commands that changed."""


class Board:
    """Wakes downlinks when a command is queued, and tells listeners when one changed."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._listeners: list[Listener] = []
        self.closed = False
        """Downlinks end when this is true."""

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` whenever commands changed, after the commit."""
        self._listeners.append(listener)

    def changed(self, tenant: UUID, commands: Collection[UUID]) -> None:
        """Tell the listeners."""
        if commands:
            for listener in self._listeners:
                listener(tenant, commands)

    def wake(self, gateway: UUID) -> None:
        """Let the downlinks of a gateway look again."""
        for event in self._waiting.get(gateway, ()):
            event.set()

    def close(self) -> None:
        """Let every downlink end."""
        self.closed = True
        for gateway in tuple(self._waiting):
            self.wake(gateway)

    @contextmanager
    def waiting(self, gateway: UUID) -> Iterator[asyncio.Event]:
        """Wait as a downlink of a gateway: the event is set when there may be something new.

        Raises:
            TooManyError: the gateway has too many open downlinks.

        """
        events = self._waiting.setdefault(gateway, set())
        if len(events) >= MAX_DOWNLINKS:
            raise TooManyError(
                "too many open downlinks", hint="close the old ones", headers={"Retry-After": "30"}
            )
        event = asyncio.Event()
        events.add(event)
        try:
            yield event
        finally:
            events.discard(event)
            if not events:
                self._waiting.pop(gateway, None)
