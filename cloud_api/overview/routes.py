"""Sites, gateways, devices and points, with how they are doing."""

from fastapi import APIRouter

from cloud_api.access.dependencies import DatabaseOf, Now, SignedIn
from cloud_api.overview import service
from cloud_api.overview.schemas import (
    DeviceDetail,
    GatewayDetail,
    GatewaysReply,
    PointDetail,
    SitesReply,
)
from cloud_api.registry.ids import IdText, OptionalIdText, as_number, as_uuid

router = APIRouter(prefix="/v1", tags=["overview"])


@router.get("/sites")
async def sites(caller: SignedIn, database: DatabaseOf, now: Now) -> SitesReply:
    """List sites with the worst state of their gateways."""
    async with database.transaction(caller.tenant) as db:
        return SitesReply(sites=await service.sites(db, caller.tenant, now))


@router.get("/gateways")
async def gateways(
    caller: SignedIn, database: DatabaseOf, now: Now, site: OptionalIdText = None
) -> GatewaysReply:
    """List gateways with state, backlog and how their points are doing."""
    place = None if site is None else as_uuid(site)
    async with database.transaction(caller.tenant) as db:
        return GatewaysReply(gateways=await service.gateways(db, caller.tenant, place, now))


@router.get("/gateways/{gateway}")
async def gateway(
    gateway: IdText, caller: SignedIn, database: DatabaseOf, now: Now
) -> GatewayDetail:
    """Show a gateway with its devices, streams and certificate."""
    async with database.transaction(caller.tenant) as db:
        return await service.gateway_detail(db, caller.tenant, as_uuid(gateway), now)


@router.get("/devices/{device}")
async def device(device: IdText, caller: SignedIn, database: DatabaseOf, now: Now) -> DeviceDetail:
    """Show a device with all its points and their newest values."""
    async with database.transaction(caller.tenant) as db:
        return await service.device_detail(db, caller.tenant, as_uuid(device), now)


@router.get("/points/{point}")
async def point(point: IdText, caller: SignedIn, database: DatabaseOf, now: Now) -> PointDetail:
    """Show a point with its newest value."""
    async with database.transaction(caller.tenant) as db:
        return await service.point_detail(db, caller.tenant, as_number(point), now)
