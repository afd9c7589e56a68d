"""HTTP: the list of alerts."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from cloud_api.access.dependencies import DatabaseOf, SignedIn
from cloud_api.alerts import queries
from cloud_api.alerts.cursor import MAX_CHARS, read_cursor, write_cursor
from cloud_api.alerts.queries import Filter
from cloud_api.alerts.schemas import Alerts
from cloud_api.registry.ids import OptionalIdText, as_uuid

MAX_LIMIT = 500

router = APIRouter(tags=["alerts"])


@router.get("/v1/alerts")
async def alerts(
    *,
    caller: SignedIn,
    database: DatabaseOf,
    state: Literal["active", "all"] = "all",
    gateway: OptionalIdText = None,
    device: OptionalIdText = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=MAX_CHARS)] = None,
) -> Alerts:
    """List alerts, newest first. ``from`` keeps those that were raised, cleared or open since."""
    before: tuple[datetime, str] | None = read_cursor(cursor) if cursor else None
    wanted = Filter(
        state == "active",
        None if gateway is None else as_uuid(gateway),
        None if device is None else as_uuid(device),
        since,
        before,
    )
    async with database.transaction(caller.tenant) as db:
        found = await queries.list_alerts(db, caller.tenant, wanted, limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return Alerts(
        alerts=page,
        next_cursor=write_cursor(page[-1].raised_at, page[-1].id) if more else None,
    )
