"""What routes ask for, and by asking say whom they are for.

Every route depends on exactly one of ``public``, ``signed_in`` and ``enrolled``:
:mod:`cloud_api.access.audience` reads the classification off the routes, and a test refuses a
route without one. So a route cannot be called protected without being it.

    @router.get("/v1/sites")
    async def sites(caller: SignedIn, database: DatabaseOf) -> Sites:
        async with database.transaction(caller.tenant) as db:
            ...

    @router.post(paths.UPLINK)
    async def uplink(gateway: Enrolled, database: DatabaseOf) -> Response:
        async with database.ingest(gateway.tenant) as db:
            ...

    @router.get("/healthz", dependencies=[Depends(public)])

All of them are coroutines: FastAPI runs a plain function in a thread, which costs an upload more
than its decoding.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from cloud_api.access import people
from cloud_api.access.caller import Caller, GatewayCaller, Role
from cloud_api.access.keyring import Keyring
from cloud_api.db.session import Database
from cloud_api.errors import NotAllowedError, NotSignedInError
from cloud_api.settings import CloudSettings

SESSION_COOKIE = "tidegate_session"
CSRF_HEADER = "Tidegate-CSRF"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def now() -> datetime:
    """Give the time of the request; tests put another clock here."""
    return datetime.now(UTC)


async def database_of(request: Request) -> Database:
    """Give the pools of this process."""
    database: Database = request.app.state.database
    return database


async def keyring_of(request: Request) -> Keyring:
    """Give the keys of this process."""
    keyring: Keyring = request.app.state.keyring
    return keyring


async def settings_of(request: Request) -> CloudSettings:
    """Give the settings of this process."""
    settings: CloudSettings = request.app.state.settings
    return settings


Now = Annotated[datetime, Depends(now)]
DatabaseOf = Annotated[Database, Depends(database_of)]
KeyringOf = Annotated[Keyring, Depends(keyring_of)]
SettingsOf = Annotated[CloudSettings, Depends(settings_of)]


async def public() -> None:
    """Mark a route that anybody may call."""


def same_origin(request: Request) -> None:
    """Refuse an unsafe request that does not carry our own header.

    A form or a link of another site cannot set it; a script of another site would need leave by
    CORS, which this API never gives.

    Raises:
        NotAllowedError: the header is missing.

    """
    if request.method not in SAFE_METHODS and request.headers.get(CSRF_HEADER) != "1":
        raise NotAllowedError(
            f"the header '{CSRF_HEADER}: 1' is missing",
            hint="requests that change something carry it, to prove that they come from our page",
        )


async def signed_in(request: Request, database: DatabaseOf, moment: Now) -> Caller:
    """Find who is signed in by the session cookie.

    Raises:
        NotSignedInError: there is no session, or it has expired.
        NotAllowedError: an unsafe request without the CSRF header.

    """
    caller = await people.find_caller(database, request.cookies.get(SESSION_COOKIE, ""), moment)
    same_origin(request)
    return caller


async def enrolled(
    request: Request, database: DatabaseOf, keyring: KeyringOf, moment: Now
) -> GatewayCaller:
    """Check the access token of a gateway, and that the gateway is not suspended.

    Raises:
        NotSignedInError: no token, not ours, expired, or the gateway is suspended or gone.

    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedInError(
            "an access token is missing",
            hint="get one at /v1/token",
            headers={"WWW-Authenticate": "Bearer"},
        )
    caller = keyring.read_access_token(token, moment)
    if not await keyring.standing.is_good(database, caller):
        raise NotSignedInError(
            "the gateway is suspended or unknown", headers={"WWW-Authenticate": "Bearer"}
        )
    return caller


SignedIn = Annotated[Caller, Depends(signed_in)]
Enrolled = Annotated[GatewayCaller, Depends(enrolled)]


def require(caller: Caller, role: Role) -> None:
    """Refuse a person whose role does not reach.

    Raises:
        NotAllowedError: it does not.

    """
    if not caller.role.allows(role):
        raise NotAllowedError(
            f"this needs the role {role.value}, yours is {caller.role.value}",
            hint="ask an administrator of your tenant",
        )
