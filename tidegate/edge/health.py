"""``tidegate edge status``: what the processes last said, and what lies in the folders. Reads only."""

from pathlib import Path

import msgspec

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import difference
from components.sync.status import AgentStatus
from edge_runtime.device_status import DeviceStatus
from edge_runtime.host.context import Folders
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.settings import ConfiguredDevice, GatewaySettings
from edge_runtime.status import STALE_S, RuntimeStatus, read_status
from tidegate.edge.adapter_health import (
    AdapterHealth,
    adapter_health,
    adapter_statuses,
    devices_of,
)


class DeviceHealth(msgspec.Struct, frozen=True):
    """How a device is: by the age of its newest good value against its interval."""

    name: str
    health: str
    """``good``, ``late``, ``silent``, ``never`` or ``unknown``."""
    points: int
    bad_points: int
    age_s: float | None
    """Since the newest good value."""
    reason: str = ""
    errors: int = 0
    missed: int = 0


class BacklogHealth(msgspec.Struct, frozen=True):
    """What waits for the cloud in one stream."""

    stream: str
    batches: int
    items: int
    oldest_age_s: float | None


class GatewayHealth(msgspec.Struct, frozen=True):
    """The whole gateway."""

    gateway: str
    runtime: str
    """``running``, ``stopped`` or ``never started``."""
    agent: str
    """``connected``, ``offline``, ``enrolling``, …, ``stopped`` or ``no cloud``."""
    last_contact_age_s: float | None
    """Since the cloud last acknowledged anything."""
    line_error: str
    devices: list[DeviceHealth]
    backlog: list[BacklogHealth]
    outbox_bytes: int
    outbox_max_bytes: int
    outbox_error: str
    days_left: float | None
    """How long the outbox has room at its present rate, nothing leaving it."""
    alerts: list[str]
    """Rules whose alert is raised."""
    memory_bytes: int
    adapters: list[AdapterHealth] = []

    @property
    def fine(self) -> bool:
        """Whether nobody needs to look; a line that is down is nothing unusual."""
        devices = all(device.health == "good" for device in self.devices)
        agent = self.agent not in {"never started", "stopped"}
        adapters = all(adapter.fine for adapter in self.adapters)
        runs = self.runtime == "running"
        return runs and agent and devices and adapters and not self.outbox_error


def gateway_health(settings: GatewaySettings, now_us: int) -> GatewayHealth:
    """Read everything that tells how the gateway is."""
    folders = Folders(settings.state_dir)
    runtime = read_status(folders.run, "runtime", RuntimeStatus)
    agent = read_status(folders.run, "agent", AgentStatus)
    running = runtime is not None and _is_fresh(runtime.time_us, now_us)
    names = settings.adapters()
    adapters = adapter_statuses(folders.run, names)
    known = (runtime.devices if runtime and running else {}) | devices_of(adapters, now_us)
    ack_us = agent.line.last_ack_us if agent else None
    return GatewayHealth(
        gateway=settings.name,
        runtime="never started" if runtime is None else "running" if running else "stopped",
        agent=_agent_state(settings, agent, now_us),
        last_contact_age_s=None if ack_us is None else _age(ack_us, now_us),
        line_error=agent.line.last_error if agent and not agent.line.connected else "",
        devices=[device_health(device, known, now_us) for device in settings.devices],
        backlog=backlog(folders.outbox, folders.inbox, now_us),
        outbox_bytes=runtime.outbox.bytes_on_disk if runtime else 0,
        outbox_max_bytes=settings.outbox.max_bytes,
        outbox_error=runtime.outbox.error if runtime else "",
        days_left=_days_left(runtime, now_us) if runtime and running else None,
        alerts=[rule.name for rule in runtime.rules if rule.alert] if runtime else [],
        memory_bytes=sum(
            status.memory_bytes for status in (runtime, agent, *adapters.values()) if status
        ),
        adapters=adapter_health(names, adapters, now_us),
    )


def device_health(
    device: ConfiguredDevice, statuses: dict[str, DeviceStatus], now_us: int
) -> DeviceHealth:
    """Judge one device by its newest good value."""
    settings, status = device.settings, statuses.get(device.settings.name)
    points = len(settings.points)
    if status is None:
        return DeviceHealth(
            settings.name, "unknown", points, points, None, _stopped(settings.adapter)
        )
    newest = status.newest_good_us
    age_s = None if newest is None else _age(newest, now_us)
    allowed_s = 3 * settings.interval_s + STALE_S
    if status.silent_since_us is not None:
        health = "silent"
    elif age_s is None:
        health = "never"
    else:
        health = "late" if age_s > allowed_s else "good"
    return DeviceHealth(
        settings.name, health, points, status.bad_points, age_s,
        status.silent_reason, status.errors, status.missed,
    )  # fmt: skip


def _stopped(adapter: str) -> str:
    return f"the adapter {adapter} is stopped" if adapter else "the runtime is stopped"


def backlog(outbox: Path, inbox: Path, now_us: int) -> list[BacklogHealth]:
    """Weigh what the outbox holds and the cloud has not."""
    reader, received = OutboxReader(outbox), InboxReader(inbox)
    try:
        epoch, acknowledged = reader.epoch(), received.acknowledged()
        waiting = []
        for stream in Stream:
            known = acknowledged.get((stream.value, epoch), ())
            rest = difference(reader.stored(stream.value), known)
            batches, items, oldest_us = reader.weigh(stream.value, rest)
            age_s = None if oldest_us is None else _age(oldest_us, now_us)
            waiting.append(BacklogHealth(stream.value, batches, items, age_s))
        return waiting
    finally:
        reader.close()
        received.close()


def _agent_state(settings: GatewaySettings, agent: AgentStatus | None, now_us: int) -> str:
    if settings.cloud is None:
        return "no cloud"
    if agent is None:
        return "never started"
    return agent.line.state if _is_fresh(agent.time_us, now_us) else "stopped"


def _days_left(runtime: RuntimeStatus, now_us: int) -> float | None:
    """Divide the room that is left by what a committed sample takes on disk and their rate."""
    outbox, up_s = runtime.outbox, _age(runtime.started_us, now_us)
    if outbox.committed == 0 or up_s < STALE_S:
        return None
    bytes_each = outbox.bytes_written / outbox.committed
    per_s = outbox.committed / up_s * bytes_each
    room = max(0, outbox.max_bytes - outbox.bytes_on_disk)
    return room / per_s / 86_400 if per_s else None


def _is_fresh(time_us: int, now_us: int) -> bool:
    return abs(now_us - time_us) <= STALE_S * 1_000_000


def _age(time_us: int, now_us: int) -> float:
    return max(0.0, (now_us - time_us) / 1_000_000)
