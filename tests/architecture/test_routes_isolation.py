"""Every route of the application says whom it is for, and is protected by saying it.

What they answer to another tenant is tried in ``tests/integration/cloud/test_cloud_isolation.py``.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends
from psycopg_pool import AsyncConnectionPool

from cloud_api.access.audience import Audience, classify
from cloud_api.access.authority import make_authority
from cloud_api.access.dependencies import public, signed_in
from cloud_api.access.keyring import Keyring
from cloud_api.app import create_app, describe_api
from cloud_api.db.session import Database
from cloud_api.settings import CloudSettings
from cloud_sync.wire import paths

PUBLIC = {
    "/healthz",
    "/metrics",
    "/readyz",
    "/v1/authority",
    "/v1/enrol",
    "/v1/openapi.json",
    "/v1/session",
    "/v1/token",
    "/{path:path}",
}
"""Whoever adds to this list says that a stranger may call it."""
GATEWAY = {paths.UPLINK, paths.DOWNLINK, paths.DOCUMENT_ACKNOWLEDGE, paths.STREAMS}


@pytest.fixture
def app(tmp_path):
    authority = make_authority(datetime.now(UTC))
    pool = AsyncConnectionPool(open=False)
    settings = CloudSettings(state_dir=tmp_path)
    return create_app(settings, Database(pool, pool), Keyring(authority, authority.key))


def test_every_route_says_whom_it_is_for(app):
    assert [route.path for route in classify(app) if route.audience is None] == []


def test_a_route_that_says_nothing_or_two_things_is_found(app):
    router = APIRouter()

    @router.get("/nothing")
    async def nothing(): ...

    @router.get("/both", dependencies=[Depends(public), Depends(signed_in)])
    async def both(): ...

    app.include_router(router)
    unsaid = {route.path for route in classify(app) if route.audience is None}
    assert unsaid == {"/nothing", "/both"}


def test_strangers_may_call_what_is_listed_and_nothing_else(app):
    found = {route.path for route in classify(app) if route.audience is Audience.PUBLIC}
    assert found == PUBLIC


def test_gateways_may_call_what_is_listed_and_nothing_else(app):
    found = {route.path for route in classify(app) if route.audience is Audience.GATEWAY}
    assert found == GATEWAY


def test_the_session_is_public_to_begin_only(app):
    methods = [
        route.methods
        for route in classify(app)
        if route.path == "/v1/session" and route.audience is Audience.PUBLIC
    ]
    assert methods == [("POST",)]


def test_the_committed_description_is_the_one_of_the_code():
    committed = Path(__file__).parents[2] / "docs" / "openapi.json"
    assert committed.read_text(encoding="utf-8") == describe_api(), (
        "tidegate cloud openapi > docs/openapi.json"
    )
