"""Every error of the API as application/problem+json (RFC 9457), and nothing of our insides in it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError
from psycopg_pool import PoolClosed, PoolTimeout
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from cloud_api.errors import (
    CloudError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    NotReadyError,
    TooLargeError,
)
from cloud_api.headers import SECURITY_HEADERS
from cloud_sync.wire.problems import MEDIA_TYPE, TYPE_BASE, Problem

LOG = logging.getLogger(__name__)
MAX_ERRORS = 20
CLIENT_GONE = 499
"""What nginx counts for it; there is nobody left to read an answer."""
MAX_FOUND_CHARS = 80
HIDDEN_FIELDS = frozenset({"password", "token", "claim", "csr", "client_assertion"})
"""Never repeated in an answer, which may end up in a log."""

TITLES = {
    Problem.INVALID_REQUEST: "The request is not valid",
    Problem.NOT_SIGNED_IN: "Not signed in",
    Problem.NOT_ALLOWED: "Not allowed",
    Problem.NOT_FOUND: "Not found",
    Problem.CONFLICT: "Conflict",
    Problem.TOO_LARGE: "Too large",
    Problem.TOO_MANY: "Too many requests",
    Problem.CLAIM_REFUSED: "The claim is refused",
    Problem.MESSAGE_DAMAGED: "The message is damaged",
    Problem.NOT_READY: "Not ready",
    Problem.INTERNAL: "Something went wrong here",
}


class WrongField(BaseModel):
    """One field that is wrong."""

    field: str
    found: str | int | bool | None
    allowed: str


class ProblemBody(BaseModel):
    """The body of every error answer (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: Problem
    hint: str = ""
    errors: list[WrongField] = []


def problem(
    error: CloudError, *, errors: Sequence[WrongField] = (), status: int | None = None
) -> JSONResponse:
    """Write an error as a problem."""
    body = ProblemBody(
        type=TYPE_BASE + error.code.value,
        title=TITLES[error.code],
        status=status or error.status_code,
        detail=str(error),
        code=error.code,
        hint=error.hint,
        errors=list(errors),
    )
    headers = {**SECURITY_HEADERS, **error.headers}
    return JSONResponse(
        body.model_dump(mode="json", exclude_defaults=True),
        status_code=body.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of this app with a problem."""
    app.add_exception_handler(CloudError, _on_cloud_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_client_gone)
    for unready in (OperationalError, PoolTimeout, PoolClosed):
        app.add_exception_handler(unready, _on_database_gone)
    app.add_exception_handler(Exception, _on_surprise)


async def _on_cloud_error(_request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, CloudError):
        raise exc
    if exc.status_code == CloudError.status_code:
        LOG.error("request failed", exc_info=exc)
        return problem(CloudError())
    return problem(exc)


async def _on_invalid(_request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, RequestValidationError):
        raise exc
    errors = [describe(error) for error in exc.errors()[:MAX_ERRORS]]
    fields = ", ".join(error.field for error in errors)
    return problem(InvalidRequestError(f"look at: {fields}"), errors=errors)


def describe(error: Mapping[str, Any]) -> WrongField:
    """Say of one wrong field what it is, what was found and what is allowed."""
    place = [str(part) for part in error.get("loc", ()) if part not in {"body", "query", "path"}]
    found = error.get("input")
    if HIDDEN_FIELDS.intersection(place) or isinstance(found, (dict, list, bytes)):
        found = "missing" if error.get("type") == "missing" else "hidden"
    if isinstance(found, float) or not isinstance(found, (str, int, bool, type(None))):
        found = str(found)
    if isinstance(found, str) and len(found) > MAX_FOUND_CHARS:
        found = found[:MAX_FOUND_CHARS] + "…"
    return WrongField(field=".".join(place) or "body", found=found, allowed=str(error.get("msg")))


async def _on_http_error(_request: Request, exc: Exception) -> JSONResponse:
    """Turn what the framework itself refuses: unknown paths, wrong methods, bodies too large."""
    if not isinstance(exc, HTTPException):
        raise exc
    headers = exc.headers or {}
    match exc.status_code:
        case 404:
            return problem(NotFoundError(headers=headers))
        case 413:
            return problem(TooLargeError(headers=headers))
        case 401 | 403:
            return problem(NotAllowedError(headers=headers), status=exc.status_code)
        case code:
            return problem(InvalidRequestError(str(exc.detail), headers=headers), status=code)


async def _on_client_gone(request: Request, _exc: Exception) -> Response:
    """Note that a client left while it was still sending: a line that broke, and no error here."""
    LOG.info("the client went away while sending", extra={"method": request.method})
    return Response(status_code=CLIENT_GONE)


async def _on_database_gone(_request: Request, exc: Exception) -> JSONResponse:
    LOG.warning("the database does not answer: %s", type(exc).__name__)
    return problem(NotReadyError("the database does not answer", headers={"Retry-After": "2"}))


async def _on_surprise(_request: Request, exc: Exception) -> JSONResponse:
    trace = uuid4().hex
    LOG.error("unexpected error %s", trace, exc_info=exc)
    return problem(CloudError(hint=f"tell the operator of this cloud: {trace}"))
