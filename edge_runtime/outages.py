"""Which devices are silent, across restarts of the runtime.

A device may fall silent before a restart and answer after it. Without a memory its silence would
never end for the cloud.
"""

import logging
from collections.abc import Mapping
from typing import Protocol

from edge_runtime.errors import StoreError

PREFIX = "silent/"
"""Of the names of outages among all states of the journal."""

logger = logging.getLogger(__name__)


class OutageStore(Protocol):
    """Where outages survive a restart; every call raises :class:`StoreError`."""

    def save_state(self, name: str, content: bytes) -> None:
        """Save durably."""
        ...

    def drop_state(self, name: str) -> None:
        """Forget durably."""
        ...

    def load_states(self) -> Mapping[str, bytes]:
        """Give what was saved last."""
        ...


class Outages:
    """The silent devices; a disk that takes nothing only makes it forget."""

    def __init__(self, store: OutageStore) -> None:
        self._store = store
        self._since_us = {
            name.removeprefix(PREFIX): int(content)
            for name, content in store.load_states().items()
            if name.startswith(PREFIX) and content.isdigit()
        }

    def since_us(self, device: str) -> int | None:
        """Tell since when a device is silent (gateway time, µs); None where it is not."""
        return self._since_us.get(device)

    def begin(self, device: str, since_us: int) -> None:
        """Note that a device fell silent."""
        self._since_us[device] = since_us
        try:
            self._store.save_state(PREFIX + device, b"%d" % since_us)
        except StoreError as exc:
            logger.warning("the outage of %s is not saved: %s", device, exc)

    def end(self, device: str) -> None:
        """Note that a device answers."""
        self._since_us.pop(device, None)
        try:
            self._store.drop_state(PREFIX + device)
        except StoreError as exc:
            logger.warning("the end of the outage of %s is not saved: %s", device, exc)
