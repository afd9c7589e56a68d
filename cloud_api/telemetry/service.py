"""What other domains ask of telemetry: newest samples, health, streams."""

from collections.abc import Collection
from uuid import UUID

from cloud_api.db.session import Db
from cloud_api.telemetry import queries
from cloud_api.telemetry.latest import Health, Latest
from cloud_sync.wire.identity import StreamState


async def latest_of_points(db: Db, tenant: UUID, points: Collection[int]) -> dict[int, Latest]:
    """Give the newest sample of each of these points; a point without one is left out."""
    return await queries.latest_of_points(db, tenant, list(points))


async def health_by_gateway(
    db: Db, tenant: UUID, gateways: Collection[UUID] | None = None
) -> dict[UUID, Health]:
    """Count declared points by health for each gateway, all by default; none are left out."""
    counted: dict[UUID, Health] = {}
    wanted = None if gateways is None else list(gateways)
    for gateway, _, health in await queries.health_counts(db, tenant, wanted):
        counted[gateway] = counted.get(gateway, Health()) + health
    return counted


async def health_by_device(db: Db, tenant: UUID, gateway: UUID) -> dict[UUID, Health]:
    """Count declared points by health for each device of a gateway; none are left out."""
    rows = await queries.health_counts(db, tenant, [gateway])
    return {device: health for _, device, health in rows}


async def streams_of(db: Db, tenant: UUID, gateway: UUID) -> list[StreamState]:
    """List what the cloud has of each stream of a gateway."""
    return await queries.streams_of(db, tenant, gateway)
