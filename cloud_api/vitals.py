"""For whoever operates the cloud: does it live, can it work, what does it count."""

import asyncio
import ipaddress
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg import Error
from psycopg_pool import PoolClosed, PoolTimeout
from pydantic import BaseModel

from cloud_api.access.dependencies import DatabaseOf, public
from cloud_api.db.session import Database
from cloud_api.errors import NotFoundError

router = APIRouter(tags=["operation"], dependencies=[Depends(public)])

CHECK_LIMIT_S = 2.0


class Healthz(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Readyz(BaseModel):
    """Whether the process can work, with the result of each check."""

    ready: bool
    checks: dict[str, str]


@router.get("/healthz")
async def healthz() -> Healthz:
    """Tell that the process answers."""
    return Healthz(status="ok")


@router.get("/readyz", responses={503: {"model": Readyz}})
async def readyz(request: Request, response: Response, database: DatabaseOf) -> Readyz:
    """Tell whether the process can work: 200, or 503 with what is missing."""
    checks = {
        "database": await _database(database),
        "stopping": "stopping" if request.app.state.stopping.is_set() else "ok",
    }
    ready = all(result == "ok" for result in checks.values())
    response.status_code = 200 if ready else 503
    return Readyz(ready=ready, checks=checks)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Give what is counted, in the format of Prometheus. On loopback only."""
    if not _is_loopback(request.client.host if request.client else ""):
        raise NotFoundError
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> dict[str, Any]:
    """Give the description of this API, OpenAPI 3.1."""
    description: dict[str, Any] = request.app.openapi()
    return description


async def _database(database: Database) -> str:
    try:
        async with asyncio.timeout(CHECK_LIMIT_S), database.door() as db:
            await db.execute("SELECT 1")
    except (Error, PoolTimeout, PoolClosed, TimeoutError):
        return "does not answer"
    return "ok"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
