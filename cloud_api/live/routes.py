"""HTTP: the live feed of a tenant."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse

from cloud_api.access import people
from cloud_api.access.dependencies import SESSION_COOKIE, DatabaseOf, SignedIn
from cloud_api.errors import NotSignedInError, TooManyError
from cloud_api.live.hub import Hub
from cloud_api.live.stream import Stream, cursor_of

router = APIRouter(tags=["live"])


async def hub_of(request: Request) -> Hub:
    """Give the hub of this process."""
    hub: Hub = request.app.state.live_hub
    return hub


HubOf = Annotated[Hub, Depends(hub_of)]


@router.get("/v1/live", response_class=StreamingResponse)
async def live(
    request: Request,
    caller: SignedIn,
    database: DatabaseOf,
    hub: HubOf,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> StreamingResponse:
    """Stream what changes, as server-sent events with a cursor each.

    ``Last-Event-ID`` resumes behind a cursor; ``event: reset`` says that this is not possible and
    that everything shown has to be loaded again.
    """
    if not hub.has_room(caller.tenant):
        raise TooManyError(
            "too many open feeds",
            hint="close some of the open pages",
            headers={"Retry-After": "10"},
        )
    token = request.cookies.get(SESSION_COOKIE, "")

    async def signed_in() -> bool:
        try:
            await people.find_caller(database, token, datetime.now(UTC))
        except NotSignedInError:
            return False
        return True

    stream = Stream(hub, caller.tenant, cursor_of(last_event_id), signed_in)
    return StreamingResponse(
        stream.frames(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
