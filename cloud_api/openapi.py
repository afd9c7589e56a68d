"""The description of the API for programs: OpenAPI 3.1, committed as ``docs/openapi.json``."""

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from cloud_api.access.audience import Audience, classify
from cloud_api.access.dependencies import CSRF_HEADER, SESSION_COOKIE
from cloud_api.problems import ProblemBody
from cloud_sync.wire.problems import MEDIA_TYPE

SECURITY: dict[Audience, list[dict[str, list[str]]]] = {
    Audience.PERSON: [{"session": []}],
    Audience.GATEWAY: [{"gateway": []}],
    Audience.PUBLIC: [],
}
SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": f"Set by POST /v1/session; unsafe methods also need '{CSRF_HEADER}: 1'.",
    },
    "gateway": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "From POST /v1/token, good for 15 minutes.",
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Describe every route with whom it is for; every error is a problem."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    components = schema.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = ProblemBody.model_json_schema()
    problem = {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for route in classify(app):
        for method in route.methods:
            operation = schema["paths"].get(route.path, {}).get(method.lower())
            if operation is not None and route.audience is not None:
                operation["security"] = SECURITY[route.audience]
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = problem
    app.openapi_schema = schema
    return schema


def render(schema: dict[str, Any]) -> str:
    """Write a description the one way it is committed."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
