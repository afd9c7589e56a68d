"""From rows to what is shown. Pure."""

from datetime import datetime

from cloud_api.overview.schemas import (
    BacklogView,
    DeviceDetail,
    DeviceView,
    GatewayDetail,
    GatewayView,
    PointCounts,
    PointDetail,
    PointView,
    SiteView,
    StreamView,
)
from cloud_api.registry.rows import Device, Gateway, Point, Site
from cloud_api.registry.schemas import Named
from cloud_api.registry.states import GatewayState, gateway_state, worst_state
from cloud_api.telemetry.latest import Health, Latest, PointHealth, health_of, value_of
from cloud_sync.wire import ranges
from cloud_sync.wire.identity import StreamState
from cloud_sync.wire.quality import Reason


def site_view(site: Site, gateways: list[Gateway], alerts: int, now: datetime) -> SiteView:
    """Show a site with the worst state of its gateways."""
    states = [gateway_state(now, g.last_contact_at, g.backlog_oldest_at) for g in gateways]
    return SiteView(
        id=str(site.id),
        name=site.name,
        time_zone=site.time_zone,
        gateways=len(gateways),
        alerts=alerts,
        state=worst_state(states),
    )


def gateway_view(gateway: Gateway, health: Health, alerts: int, now: datetime) -> GatewayView:
    """Show a gateway."""
    state = gateway_state(now, gateway.last_contact_at, gateway.backlog_oldest_at)
    return GatewayView(
        id=str(gateway.id),
        name=gateway.name,
        site=Named(id=str(gateway.site_id), name=gateway.site_name),
        version=gateway.version,
        state=state,
        last_contact_at=gateway.last_contact_at,
        newest_good_at=health.newest_good_at,
        silent_since=gateway.last_contact_at if state is GatewayState.SILENT else None,
        backlog=BacklogView(
            batches=gateway.backlog_batches,
            samples=gateway.backlog_samples,
            oldest_at=gateway.backlog_oldest_at,
        ),
        devices=gateway.devices,
        points=counts(health),
        alerts=alerts,
    )


def gateway_detail(
    view: GatewayView, gateway: Gateway, devices: list[DeviceView], streams: list[StreamState]
) -> GatewayDetail:
    """Show a gateway with its devices, streams and certificate."""
    return GatewayDetail(
        **dict(view),
        device_list=devices,
        streams=[stream_view(stream) for stream in streams],
        certificate_expires_at=gateway.certificate_expires_at,
        enrolled_at=gateway.enrolled_at,
    )


def stream_view(state: StreamState) -> StreamView:
    """Show a stream, with what is missing below its highest number."""
    received, lost = ranges.parse(state.received), ranges.parse(state.lost)
    known = ranges.union(received, lost)
    missing = ranges.difference(((1, known[-1][1]),), known) if known else ()
    return StreamView(
        stream=state.stream,
        epoch=state.epoch,
        received=ranges.size(received),
        lost=ranges.size(lost),
        missing=ranges.size(missing),
    )


def device_view(device: Device, health: Health) -> DeviceView:
    """Show a device."""
    return DeviceView(
        id=str(device.id),
        name=device.name,
        protocol=device.protocol,
        address=device.address,
        profile=device.profile,
        vendor=device.vendor,
        model=device.model,
        description=device.description,
        gateway=Named(id=str(device.gateway_id), name=device.gateway_name),
        silent_since=device.silent_since,
        silent_reason=device.silent_reason,
        newest_good_at=health.newest_good_at,
        points=counts(health),
    )


def device_detail(view: DeviceView, device: Device, points: list[PointView]) -> DeviceDetail:
    """Show a device with all its points."""
    return DeviceDetail(**dict(view), site=site_of(device), point_list=points)


def point_view(point: Point, latest: Latest | None, now: datetime) -> PointView:
    """Show a point with its newest value."""
    health = health_of(latest, point.interval_s, point.max_silence_s, now)
    return PointView(
        id=str(point.id),
        name=point.name,
        key=point.key,
        kind=point.kind,
        unit=point.unit,
        description=point.description,
        labels=point.labels,
        decimals=point.decimals,
        interval_s=point.interval_s,
        max_silence_s=point.max_silence_s,
        value=value_of(point.kind, latest.value, latest.text) if latest else None,
        good_value=value_of(point.kind, latest.good_value, latest.good_text) if latest else None,
        quality=latest.quality.name.lower() if latest else None,
        reason=_reason(latest, health),
        time=latest.time if latest else None,
        good_at=latest.good_at if latest else None,
        health=health,
    )


def point_detail(view: PointView, device: Device) -> PointDetail:
    """Show a point with where it is."""
    return PointDetail(
        **dict(view),
        device=Named(id=str(device.id), name=device.name),
        gateway=Named(id=str(device.gateway_id), name=device.gateway_name),
        site=site_of(device),
    )


def site_of(device: Device) -> Named:
    """Refer to the site of a device."""
    return Named(id=str(device.site_id), name=device.site_name)


def counts(health: Health) -> PointCounts:
    """Show how many points are in which health."""
    return PointCounts(
        total=health.total,
        good=health.good,
        uncertain=health.uncertain,
        bad=health.bad,
        stale=health.stale,
        never=health.never,
    )


def _reason(latest: Latest | None, health: PointHealth) -> str:
    if health is PointHealth.STALE:
        return Reason.STALE.value
    return latest.reason if latest else ""
