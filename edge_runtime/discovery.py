"""Discovery: what a driver that can look for devices is told, and what it gives back.

A scan sends no more than it was allowed, says how far it is, and changes nothing: what it finds is a
proposal with live values beside it, which an installer takes or leaves.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from edge_runtime.model import Reading


class ScanTarget(msgspec.Struct, frozen=True):
    """Where to look and how hard."""

    targets: tuple[str, ...]
    """As people write them: ``10.0.0.7``, ``10.0.0.0/24``, ``opc.tcp://plc:4840``, ``/dev/ttyUSB0``."""
    timeout_s: float = 1.0
    """Longest wait for one answer."""
    max_requests: int = 2_000
    """The scan ends, and says so, when it has sent this many."""
    pause_s: float = 0.0
    """Wait between two requests, for lines that carry other traffic."""
    options: Mapping[str, str] = {}
    """What only one protocol knows: ``units=1-20``, ``baud=9600``, ``topic=plant/#``."""


class Progress(msgspec.Struct, frozen=True):
    """How far a scan is."""

    done: int
    total: int
    """Steps altogether; 0 where they cannot be known."""
    doing: str
    """``10.0.0.7 unit 3``."""
    requests: int
    """Requests sent so far."""


class Found(msgspec.Struct, frozen=True):
    """One device, ready to be put into gateway.yaml."""

    protocol: str
    address: str
    """Where it is, for people."""
    identity: str
    """What stays the same when its address changes: a serial number, a device instance; or empty."""
    title: str
    """One line for people: vendor, model, what it says of itself."""
    settings: Mapping[str, Any]
    """Fields of a device in gateway.yaml: protocol, host, port, unit … and vendor, model; no name."""
    points: tuple[Mapping[str, Any], ...] = ()
    """Proposed points with the fields of a device profile; empty where a profile is proposed."""
    profile: str = ""
    """Name of the device profile that fits; empty for none."""
    values: tuple[Reading, ...] = ()
    """Raw live values of the proposed points."""
    notes: tuple[str, ...] = ()
    """What the installer should know: which certificate must be trusted, what was refused."""


Discover = Callable[[ScanTarget], AsyncIterator[Progress | Found]]
"""Look for devices. Bad targets raise :class:`~edge_runtime.errors.SettingsError`; silence is no error."""
