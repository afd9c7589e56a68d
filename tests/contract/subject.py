"""What the driver contract is run against.

A driver adds itself by a module ``subjects_<protocol>.py`` with async context managers that give a
:class:`Subject`, and by naming them in ``SUBJECTS`` of ``conftest.py``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from edge_runtime.driver import DeviceSettings, Driver
from edge_runtime.model import Value


@dataclass(frozen=True)
class Subject:
    """A driver, and a real device of its protocol that a test can take away."""

    driver: Driver
    settings: DeviceSettings
    good: Mapping[str, Value]
    """Points that can be read, with their raw values."""
    bad: str
    """A point that the device refuses."""
    lose: Callable[[], Awaitable[None]]
    """Take the device away."""
    restore: Callable[[], Awaitable[None]]
    """Bring it back at the same address."""
    write: tuple[str, Value] | None = None
    """A point of ``good`` and another value for it; None when the protocol cannot write."""

    @property
    def names(self) -> list[str]:
        """All points."""
        return [*self.good, self.bad]
