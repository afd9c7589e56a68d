"""Serves the dashboard, under a policy that lets it load and call this cloud and nothing else."""

from fastapi import APIRouter, Depends, Request, Response

from cloud_api.access.dependencies import public
from cloud_api.dashboard.bundle import find, load_bundle
from cloud_api.errors import NotFoundError

router = APIRouter(dependencies=[Depends(public)], include_in_schema=False)

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
NOT_PAGES = ("v1", "metrics", "healthz", "readyz")
"""First parts of a path that are never the dashboard's: a wrong API path is a problem, no page."""


@router.get("/{path:path}")
async def page(path: str, request: Request) -> Response:
    """Give a file of the dashboard, or its page for any other path."""
    if path.partition("/")[0] in NOT_PAGES:
        raise NotFoundError
    file = find(load_bundle(), path)
    if file is None:
        raise NotFoundError(hint="" if load_bundle() else "the dashboard is not built: make web")
    headers = {
        "ETag": file.etag,
        "Cache-Control": "public, max-age=31536000, immutable"
        if file.keep_for_ever
        else "no-cache",
        "Content-Security-Policy": POLICY,
    }
    if request.headers.get("If-None-Match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
