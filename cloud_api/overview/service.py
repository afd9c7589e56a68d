"""Puts the registry, the newest values and the alerts together, for routes and for the live feed."""

from datetime import datetime
from uuid import UUID

from cloud_api.alerts import service as alerts
from cloud_api.db.session import Db
from cloud_api.errors import NotFoundError
from cloud_api.overview import views
from cloud_api.overview.schemas import (
    DeviceDetail,
    DeviceView,
    GatewayDetail,
    GatewayView,
    PointDetail,
    SiteView,
)
from cloud_api.registry import reading
from cloud_api.telemetry import service as telemetry
from cloud_api.telemetry.latest import Health


async def sites(db: Db, tenant: UUID, now: datetime) -> list[SiteView]:
    """Show all sites."""
    active = await alerts.count_active(db, tenant)
    gateways = await reading.gateways(db, tenant)
    shown = []
    for site in await reading.sites(db, tenant):
        here = [gateway for gateway in gateways if gateway.site_id == site.id]
        raised = sum(active.get(gateway.id, 0) for gateway in here)
        shown.append(views.site_view(site, here, raised, now))
    return shown


async def gateways(db: Db, tenant: UUID, site: UUID | None, now: datetime) -> list[GatewayView]:
    """Show all gateways, or those of one site."""
    active = await alerts.count_active(db, tenant)
    found = await reading.gateways(db, tenant, site)
    health = await telemetry.health_by_gateway(db, tenant, [gateway.id for gateway in found])
    return [
        views.gateway_view(
            gateway, health.get(gateway.id, Health()), active.get(gateway.id, 0), now
        )
        for gateway in found
    ]


async def gateway(db: Db, tenant: UUID, number: UUID, now: datetime) -> GatewayView:
    """Show one gateway.

    Raises:
        NotFoundError: the tenant has none of this number.

    """
    found = await reading.gateway(db, tenant, number)
    if found is None:
        raise NotFoundError
    active = await alerts.count_active(db, tenant)
    health = await telemetry.health_by_gateway(db, tenant, [number])
    return views.gateway_view(found, health.get(number, Health()), active.get(number, 0), now)


async def gateway_detail(db: Db, tenant: UUID, number: UUID, now: datetime) -> GatewayDetail:
    """Show one gateway with its devices, streams and certificate.

    Raises:
        NotFoundError: the tenant has none of this number.

    """
    view = await gateway(db, tenant, number, now)
    found = await reading.gateway(db, tenant, number)
    if found is None:
        raise NotFoundError
    health = await telemetry.health_by_device(db, tenant, number)
    devices = [
        views.device_view(device, health.get(device.id, Health()))
        for device in await reading.devices(db, tenant, number)
    ]
    streams = await telemetry.streams_of(db, tenant, number)
    return views.gateway_detail(view, found, devices, streams)


async def device(db: Db, tenant: UUID, number: UUID) -> DeviceView:
    """Show one device.

    Raises:
        NotFoundError: the tenant has none of this number.

    """
    found = await reading.device(db, tenant, number)
    if found is None:
        raise NotFoundError
    health = await telemetry.health_by_device(db, tenant, found.gateway_id)
    return views.device_view(found, health.get(number, Health()))


async def device_detail(db: Db, tenant: UUID, number: UUID, now: datetime) -> DeviceDetail:
    """Show one device with all its points.

    Raises:
        NotFoundError: the tenant has none of this number.

    """
    found = await reading.device(db, tenant, number)
    if found is None:
        raise NotFoundError
    view = await device(db, tenant, number)
    points = await reading.points(db, tenant, number)
    latest = await telemetry.latest_of_points(db, tenant, [point.id for point in points])
    shown = [views.point_view(point, latest.get(point.id), now) for point in points]
    return views.device_detail(view, found, shown)


async def point_detail(db: Db, tenant: UUID, number: int, now: datetime) -> PointDetail:
    """Show one point with its newest value.

    Raises:
        NotFoundError: the tenant has none of this number.

    """
    found = await reading.points_of(db, tenant, [number])
    owner = await reading.device(db, tenant, found[0].device_id) if found else None
    if owner is None:
        raise NotFoundError
    latest = await telemetry.latest_of_points(db, tenant, [number])
    return views.point_detail(views.point_view(found[0], latest.get(number), now), owner)
