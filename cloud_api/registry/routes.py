"""Claims for new gateways. What else there is to see of the registry is in the overview."""

from datetime import timedelta

from fastapi import APIRouter

from cloud_api.access.caller import Role
from cloud_api.access.dependencies import (
    DatabaseOf,
    KeyringOf,
    Now,
    SettingsOf,
    SignedIn,
    require,
)
from cloud_api.access.enrolment import issue_claim
from cloud_api.errors import NotFoundError
from cloud_api.registry import queries
from cloud_api.registry.ids import IdText, as_uuid
from cloud_api.registry.schemas import ClaimReply, ClaimRequest, Named

router = APIRouter(tags=["registry"])


@router.post("/v1/sites/{site}/claims", status_code=201)
async def add_claim(
    site: IdText,
    body: ClaimRequest,
    caller: SignedIn,
    database: DatabaseOf,
    *,
    keyring: KeyringOf,
    settings: SettingsOf,
    now: Now,
) -> ClaimReply:
    """Make a claim for one new gateway at a site. Needs the role admin."""
    async with database.transaction(caller.tenant) as db:
        place = as_uuid(site)
        name = await queries.site_name(db, caller.tenant, place)
        if name is None:
            raise NotFoundError
        require(caller, Role.ADMIN)
        issued = await issue_claim(
            db,
            caller.tenant,
            place,
            keyring.authority,
            lifetime=timedelta(hours=body.valid_hours),
            now=now,
        )
    return ClaimReply(
        claim=str(issued.claim),
        url=settings.gateway_urls[0],
        expires_at=issued.expires_at,
        site=Named(id=str(place), name=name),
    )
