"""Shapes of sites, gateways, devices and points, as every answer and live event shows them."""

from datetime import datetime
from typing import Literal

from cloud_api.registry.schemas import Named, View
from cloud_api.registry.states import GatewayState
from cloud_api.telemetry.latest import PointHealth
from cloud_sync.wire.samples import Value


class SiteView(View):
    """A site with the worst state of its gateways."""

    id: str
    name: str
    time_zone: str
    gateways: int
    alerts: int
    state: Literal["live", "catching_up", "waiting", "silent", "empty"]


class SitesReply(View):
    """All sites of the tenant."""

    sites: list[SiteView]


class BacklogView(View):
    """What waited on the gateway at its last contact."""

    batches: int
    samples: int
    oldest_at: datetime | None


class PointCounts(View):
    """How many points there are, and in which health."""

    total: int
    good: int
    uncertain: int
    bad: int
    stale: int
    never: int


class GatewayView(View):
    """A gateway, its state, and how its points are doing."""

    id: str
    name: str
    site: Named
    version: str
    state: GatewayState
    last_contact_at: datetime | None
    newest_good_at: datetime | None
    silent_since: datetime | None
    """Null unless the state is ``silent``."""
    backlog: BacklogView
    devices: int
    points: PointCounts
    alerts: int


class GatewaysReply(View):
    """All gateways of the tenant, or of one site."""

    gateways: list[GatewayView]


class DeviceView(View):
    """A device and how its points are doing."""

    id: str
    name: str
    protocol: str
    address: str
    profile: str
    vendor: str
    model: str
    description: str
    gateway: Named
    silent_since: datetime | None
    silent_reason: str | None
    newest_good_at: datetime | None
    points: PointCounts


class PointView(View):
    """A point with its newest value."""

    id: str
    name: str
    key: str
    kind: str
    unit: str
    description: str
    labels: dict[str, str]
    decimals: int | None
    interval_s: float
    max_silence_s: float
    value: Value | None
    """Newest value; null if the newest sample is bad."""
    good_value: Value | None
    """Newest good value."""
    quality: Literal["good", "uncertain", "bad"] | None
    reason: str
    time: datetime | None
    good_at: datetime | None
    health: PointHealth


class StreamView(View):
    """How many batches of one stream of a gateway the cloud has."""

    stream: str
    epoch: str
    received: int
    lost: int
    """Given up by the gateway in a gap, with a reason."""
    missing: int
    """Below the highest number, neither received nor lost."""


class GatewayDetail(GatewayView):
    """A gateway with its devices, streams and certificate."""

    device_list: list[DeviceView]
    streams: list[StreamView]
    certificate_expires_at: datetime
    enrolled_at: datetime


class DeviceDetail(DeviceView):
    """A device with all its points."""

    site: Named
    point_list: list[PointView]


class PointDetail(PointView):
    """A point with where it is."""

    device: Named
    gateway: Named
    site: Named
