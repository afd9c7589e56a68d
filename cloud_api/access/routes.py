"""Signing in and out, enrolment, tokens."""

import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError

from cloud_api.access import people
from cloud_api.access.dependencies import (
    SESSION_COOKIE,
    DatabaseOf,
    KeyringOf,
    Now,
    SettingsOf,
    SignedIn,
    public,
    same_origin,
)
from cloud_api.access.enrolment import enrol as enrol_gateway
from cloud_api.access.exchange import exchange_assertion
from cloud_api.access.schemas import SessionView, SignIn, TokenRequest
from cloud_api.access.throttle import Throttle
from cloud_api.errors import TooManyError
from cloud_sync.wire import paths
from cloud_sync.wire.identity import EnrolReply, EnrolRequest, TokenReply

router = APIRouter(tags=["access"])

MAX_FORM_FIELDS = 10
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {"schema": TokenRequest.model_json_schema()}
        },
    }
}


@router.post("/v1/session", dependencies=[Depends(public), Depends(same_origin)])
async def sign_in(
    request: Request,
    response: Response,
    body: SignIn,
    *,
    database: DatabaseOf,
    settings: SettingsOf,
    now: Now,
) -> SessionView:
    """Sign in with a one-time token, or with e-mail and password; sets the session cookie."""
    throttles: people.SignInThrottles = request.app.state.sign_in_throttles
    throttles.take(_address(request), (body.email or "").lower(), time.monotonic())
    lifetime = timedelta(hours=settings.session_hours)
    if body.token is not None:
        session = await people.sign_in_by_link(database, body.token, lifetime, now)
    else:
        session = await people.sign_in_by_password(
            database, body.email or "", body.password or "", lifetime=lifetime, now=now
        )
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return SessionView.of(session.caller)


@router.get("/v1/session")
async def read_session(caller: SignedIn) -> SessionView:
    """Tell who is signed in."""
    return SessionView.of(caller)


@router.delete("/v1/session", status_code=204)
async def sign_out(request: Request, caller: SignedIn, database: DatabaseOf) -> Response:
    """End the session."""
    await people.sign_out(database, caller, request.cookies[SESSION_COOKIE])
    response = Response(status_code=204)
    response.delete_cookie(
        SESSION_COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return response


@router.get(paths.AUTHORITY, response_class=PlainTextResponse, dependencies=[Depends(public)])
async def authority(keyring: KeyringOf) -> PlainTextResponse:
    """Give the certificate of this cloud's authority as PEM."""
    return PlainTextResponse(keyring.authority.pem)


@router.post(paths.ENROL, status_code=201, dependencies=[Depends(public)])
async def enrol(
    request: Request, body: EnrolRequest, database: DatabaseOf, keyring: KeyringOf, now: Now
) -> EnrolReply:
    """Use a claim: a signing request against a certificate."""
    _limit(request)
    return await enrol_gateway(database, keyring.authority, body, now)


@router.post(paths.TOKEN, dependencies=[Depends(public)], openapi_extra=_FORM)
async def token(
    request: Request,
    response: Response,
    *,
    database: DatabaseOf,
    keyring: KeyringOf,
    settings: SettingsOf,
    now: Now,
) -> TokenReply:
    """Exchange a signed assertion for an access token (RFC 7523)."""
    _limit(request)
    form = read_form(await request.body())
    response.headers["Cache-Control"] = "no-store"
    audiences = [url + paths.TOKEN for url in settings.gateway_urls]
    return await exchange_assertion(database, keyring, audiences, form.client_assertion, now)


def read_form(body: bytes) -> TokenRequest:
    """Read the form of a token request.

    Raises:
        RequestValidationError: a field is missing or wrong.

    """
    try:
        fields: dict[str, Any] = dict(
            parse_qsl(body.decode(), max_num_fields=MAX_FORM_FIELDS, strict_parsing=bool(body))
        )
        return TokenRequest.model_validate(fields)
    except ValidationError as exc:
        raise RequestValidationError(exc.errors(include_url=False, include_input=False)) from exc
    except ValueError as exc:
        raise RequestValidationError(
            [{"loc": ("body",), "msg": "a form is expected", "type": "form"}]
        ) from exc


def _limit(request: Request) -> None:
    """Slow down a flood of enrolments or tokens from one address.

    Raises:
        TooManyError: there were too many.

    """
    throttle: Throttle = request.app.state.gateway_throttle
    wait = throttle.take(_address(request), time.monotonic())
    if wait > 0:
        raise TooManyError(headers={"Retry-After": str(int(wait) + 1)})


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
