"""How the adapters of a gateway are: what each last said of itself."""

from pathlib import Path

import msgspec

from edge_runtime.device_status import DeviceStatus
from edge_runtime.status import STALE_S, AdapterStatus, adapter_file, read_status


class AdapterHealth(msgspec.Struct, frozen=True):
    """One process that reads devices for the runtime."""

    name: str
    state: str
    """``connected`` to the runtime, ``alone``, ``stopped`` or ``never started``."""
    waiting: int
    """Batches that it keeps and the runtime has not taken yet."""
    bytes_on_disk: int
    error: str = ""
    memory_bytes: int = 0

    @property
    def fine(self) -> bool:
        """Whether nobody needs to look."""
        return self.state == "connected" and not self.error


def adapter_statuses(run: Path, names: tuple[str, ...]) -> dict[str, AdapterStatus]:
    """Read what adapters last said."""
    found = {name: read_status(run, adapter_file(name), AdapterStatus) for name in names}
    return {name: status for name, status in found.items() if status is not None}


def adapter_health(
    names: tuple[str, ...], statuses: dict[str, AdapterStatus], now_us: int
) -> list[AdapterHealth]:
    """Judge each adapter by what it last said."""
    return [_health(name, statuses.get(name), now_us) for name in names]


def devices_of(statuses: dict[str, AdapterStatus], now_us: int) -> dict[str, DeviceStatus]:
    """Collect the devices of the adapters that run."""
    return {
        name: device
        for status in statuses.values()
        if _is_fresh(status, now_us)
        for name, device in status.devices.items()
    }


def _health(name: str, status: AdapterStatus | None, now_us: int) -> AdapterHealth:
    if status is None:
        return AdapterHealth(name, "never started", 0, 0)
    state = "connected" if status.connected else "alone"
    return AdapterHealth(
        name,
        state if _is_fresh(status, now_us) else "stopped",
        status.waiting,
        status.bytes_on_disk,
        status.outbox_error or status.link_error,
        status.memory_bytes,
    )


def _is_fresh(status: AdapterStatus, now_us: int) -> bool:
    return abs(now_us - status.time_us) <= STALE_S * 1_000_000
