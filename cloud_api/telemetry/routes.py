"""HTTP: uploads and streams of gateways, history for people."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from cloud_api.access.dependencies import DatabaseOf, Enrolled, Now, SignedIn
from cloud_api.errors import InvalidRequestError
from cloud_api.registry.ids import IdText, as_number
from cloud_api.telemetry import queries
from cloud_api.telemetry.chart import chart
from cloud_api.telemetry.columns import LATEST_US
from cloud_api.telemetry.history import MAX_BUCKETS, MIN_BUCKETS
from cloud_api.telemetry.ingest import Ingest
from cloud_api.telemetry.schemas import History
from cloud_api.telemetry.spans import time_of
from cloud_sync.wire import paths
from cloud_sync.wire.identity import StreamsReply
from cloud_sync.wire.uplink import MEDIA_TYPE
from cloud_sync.wire.version import MAX_UPLOAD_BYTES

router = APIRouter(tags=["telemetry"])


async def ingest_of(request: Request) -> Ingest:
    """Give the ingest of this process."""
    ingest: Ingest = request.app.state.ingest
    return ingest


IngestOf = Annotated[Ingest, Depends(ingest_of)]


@router.post(
    paths.UPLINK,
    max_body_size=MAX_UPLOAD_BYTES,
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: {}}}},
)
async def uplink(request: Request, gateway: Enrolled, ingest: IngestOf) -> Response:
    """Store the batches of an upload and answer for each: stored, duplicate or refused."""
    reply = await ingest.take(gateway, await request.body())
    return Response(msgspec.msgpack.encode(reply), media_type=MEDIA_TYPE)


@router.get(paths.STREAMS)
async def streams(gateway: Enrolled, database: DatabaseOf) -> StreamsReply:
    """List what the cloud has of each stream of the gateway that asks."""
    async with database.transaction(gateway.tenant) as db:
        return StreamsReply(streams=await queries.streams_of(db, gateway.tenant, gateway.gateway))


@router.get("/v1/points/{point}/history", response_model_by_alias=True)
async def history(
    *,
    point: IdText,
    start: Annotated[AwareDatetime, Query(alias="from")],
    end: Annotated[AwareDatetime, Query(alias="to")],
    buckets: Annotated[int, Query(ge=MIN_BUCKETS, le=MAX_BUCKETS)] = 600,
    caller: SignedIn,
    database: DatabaseOf,
    now: Now,
) -> History:
    """Fold the samples of a point in [from, to) into buckets for a chart."""
    if not start < end <= time_of(LATEST_US) or start.year < 2:  # noqa: PLR2004 - room for a chunk
        raise InvalidRequestError("'from' must be before 'to'", hint="swap them")
    return await chart(
        database, caller.tenant, as_number(point), start=start, end=end, buckets=buckets, now=now
    )
