"""What a process says of itself in ``run/<process>.json``: rewritten every second, not flushed.

It is for people and for ``tidegate edge status``; nothing depends on it. A file that is older than
``STALE_S`` means that its process does not run.
"""

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_runtime.device_status import DeviceStatus

INTERVAL_S = 1.0
STALE_S = 5.0

S = TypeVar("S", bound=msgspec.Struct)


class OutboxStatus(msgspec.Struct, frozen=True):
    """How the runtime's side of the outbox stands."""

    epoch: str
    accepted: int
    """Samples taken since the start."""
    committed: int
    """Samples that are durable, since the start."""
    batches: int
    events: int
    """Events that are durable, since the start."""
    pending: int
    """Samples that wait for their commit."""
    dropped: int
    """Samples given up because the disk took nothing for too long."""
    bytes_written: int
    """Of sealed batches, since the start."""
    bytes_on_disk: int
    max_bytes: int
    error: str = ""


class RuleStatus(msgspec.Struct, frozen=True):
    """How a rule stands."""

    name: str
    point: str
    alert: str | None
    """The alert that is raised now."""


class RuntimeStatus(msgspec.Struct, frozen=True):
    """``run/runtime.json``."""

    time_us: int
    pid: int
    boot: str
    version: str
    gateway: str
    started_us: int
    readings: int
    reported: int
    clock: str
    memory_bytes: int
    """Proportional set size."""
    cpu_s: float
    """Processor time since the start."""
    outbox: OutboxStatus
    devices: dict[str, DeviceStatus]
    rules: list[RuleStatus]


class AdapterStatus(msgspec.Struct, frozen=True):
    """``run/adapter-<name>.json``."""

    time_us: int
    pid: int
    version: str
    adapter: str
    started_us: int
    connected: bool
    """To the runtime."""
    link_error: str
    waiting: int
    """Batches that the runtime has not taken yet."""
    handed_over: int
    """Batches that it took, since the start."""
    overflows: int
    """How often present values came faster than the rules' line takes them."""
    accepted: int
    committed: int
    pending: int
    dropped: int
    bytes_on_disk: int
    outbox_error: str
    memory_bytes: int
    cpu_s: float
    devices: dict[str, DeviceStatus]


def adapter_file(adapter: str) -> str:
    """Name an adapter's status, and its lock; no other process is named so."""
    return f"adapter-{adapter}"


def write_status(folder: Path, name: str, status: msgspec.Struct) -> None:
    """Replace ``<name>.json``; a reader sees the old or the new one, never half of it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f".{name}.json.new"
    beside.write_bytes(msgspec.json.encode(status))
    beside.replace(folder / f"{name}.json")


def read_status(folder: Path, name: str, kind: type[S]) -> S | None:
    """Read ``<name>.json``; None where there is none or it is of another version."""
    try:
        return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def memory_bytes() -> int:
    """Proportional set size of this process (proc(5), smaps_rollup); 0 where it is not told."""
    return proportional_size(os.getpid())


def proportional_size(pid: int) -> int:
    """Proportional set size of a process; 0 where it is gone or not told."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(r.split()[1]) << 10 for r in text.splitlines() if r.startswith("Pss:")), 0)
