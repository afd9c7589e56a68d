"""What other domains ask of the registry. Every function gives rows of the tenant only."""

from collections.abc import Sequence
from uuid import UUID

from cloud_api.db.session import Db
from cloud_api.registry import queries
from cloud_api.registry.rows import Device, Gateway, Point, Site


async def sites(db: Db, tenant: UUID) -> list[Site]:
    """List the sites, by name."""
    return await queries.list_sites(db, tenant)


async def gateways(db: Db, tenant: UUID, site: UUID | None = None) -> list[Gateway]:
    """List the gateways of the tenant, or of one of its sites, by name."""
    return await queries.list_gateways(db, tenant, site=site, gateway=None)


async def gateway(db: Db, tenant: UUID, number: UUID) -> Gateway | None:
    """Find one gateway."""
    found = await queries.list_gateways(db, tenant, site=None, gateway=number)
    return found[0] if found else None


async def devices(db: Db, tenant: UUID, gateway: UUID) -> list[Device]:
    """List the declared devices of a gateway, by name."""
    return await queries.list_devices(db, tenant, gateway=gateway, device=None)


async def device(db: Db, tenant: UUID, number: UUID) -> Device | None:
    """Find one device, also one that is no longer declared."""
    found = await queries.list_devices(db, tenant, gateway=None, device=number)
    return found[0] if found else None


async def points(db: Db, tenant: UUID, device: UUID) -> list[Point]:
    """List the declared points of a device, in the order in which they were declared first."""
    return await queries.list_points(db, tenant, device=device, points=None)


async def points_of(db: Db, tenant: UUID, numbers: Sequence[int]) -> list[Point]:
    """Find points by number, also such as are no longer declared."""
    return await queries.list_points(db, tenant, device=None, points=list(numbers))
