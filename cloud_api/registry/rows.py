"""Sites, gateways, devices and points as they are stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Site:
    """A place."""

    id: UUID
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """A box, with what it said at its last contact."""

    id: UUID
    name: str
    site_id: UUID
    site_name: str
    version: str
    status: str
    enrolled_at: datetime
    certificate_expires_at: datetime
    last_contact_at: datetime | None
    backlog_batches: int
    backlog_samples: int
    backlog_oldest_at: datetime | None
    devices: int


@dataclass(frozen=True, slots=True)
class Device:
    """Equipment behind a gateway."""

    id: UUID
    name: str
    protocol: str
    address: str
    profile: str
    vendor: str
    model: str
    description: str
    silent_since: datetime | None
    silent_reason: str | None
    gateway_id: UUID
    gateway_name: str
    site_id: UUID
    site_name: str


@dataclass(frozen=True, slots=True)
class Point:
    """One named value on a device."""

    id: int
    device_id: UUID
    key: str
    name: str
    kind: str
    unit: str
    description: str
    labels: dict[str, str]
    decimals: int | None
    interval_s: float
    max_silence_s: float
