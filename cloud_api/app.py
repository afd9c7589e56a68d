"""The HTTP application: domains put together, with what every request gets.

A domain is a package with ``routes.py`` (``router = APIRouter()``) and, if something has to live as
long as the process does, ``lifespan.py`` (``lifespan(app)``, an async context manager that leaves
what its dependencies need in ``app.state``). Lower layers start first and stop last.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from psycopg_pool import AsyncConnectionPool

from cloud_api import openapi, vitals
from cloud_api.access import routes as access
from cloud_api.access.authority import make_authority
from cloud_api.access.keyring import Keyring
from cloud_api.access.people import SignInThrottles
from cloud_api.access.throttle import Throttle
from cloud_api.alerts import routes as alerts
from cloud_api.commands import lifespan as commands_lifespan
from cloud_api.commands import routes as commands
from cloud_api.dashboard import routes as dashboard
from cloud_api.db.session import Database, Pool
from cloud_api.guards import LargeBodies, RequestTimeLimit, SecurityHeaders, StreamsEnd
from cloud_api.live import lifespan as live_lifespan
from cloud_api.live import routes as live
from cloud_api.measures import Measured
from cloud_api.overview import routes as overview
from cloud_api.problems import add_problem_handlers
from cloud_api.registry import routes as registry
from cloud_api.settings import CloudSettings
from cloud_api.telemetry import lifespan as telemetry_lifespan
from cloud_api.telemetry import routes as telemetry

DOMAINS = (access, registry, telemetry, alerts, commands, overview, live, dashboard)
"""The dashboard last: it takes every path that nobody else does."""
LIFESPANS = (telemetry_lifespan, commands_lifespan, live_lifespan)
MAX_BODY_BYTES = 64 << 10
"""Of every request but uploads."""


def create_app(settings: CloudSettings, database: Database, keyring: Keyring) -> FastAPI:
    """Put the application together; what it is given is opened and closed by the caller.

    ``app.state.stopping`` is set when the process begins to end: streams close then.
    """
    app = FastAPI(
        title="Tidegate",
        summary="What gateways and people ask of the cloud.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.keyring = keyring
    app.state.stopping = asyncio.Event()
    app.state.sign_in_throttles = SignInThrottles()
    app.state.gateway_throttle = Throttle(tries=120, refill_s=0.5)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]  # FastAPI's own way
    add_problem_handlers(app)
    app.add_middleware(RequestTimeLimit, seconds=settings.request_limit_s)
    app.add_middleware(LargeBodies)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(StreamsEnd, stopping=app.state.stopping)
    app.add_middleware(Measured)
    app.include_router(vitals.router, max_body_size=0)
    for domain in DOMAINS:
        app.include_router(domain.router, max_body_size=MAX_BODY_BYTES)
    return app


def describe_api() -> str:
    """Write the description of the whole API as it is committed; nothing is opened for it."""
    authority = make_authority(datetime.now(UTC))
    unopened: Pool = AsyncConnectionPool(open=False)
    app = create_app(
        CloudSettings(state_dir=Path()),
        Database(unopened, unopened),
        Keyring(authority, authority.key),
    )
    return openapi.render(app.openapi())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for part in LIFESPANS:
            await stack.enter_async_context(part.lifespan(app))
        yield
