"""Whom a route is for, read off what it depends on: classification and protection are one thing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from cloud_api.access import dependencies


class Audience(StrEnum):
    """Whose credential a route takes."""

    PUBLIC = "public"
    PERSON = "person"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the application as a caller sees it."""

    path: str
    methods: tuple[str, ...]
    audience: Audience | None
    """None: it says nothing, or several things. No such route may exist."""


_MARKS = {
    dependencies.public: Audience.PUBLIC,
    dependencies.signed_in: Audience.PERSON,
    dependencies.enrolled: Audience.GATEWAY,
}


def classify(app: FastAPI) -> list[Route]:
    """List all routes of an application, mounts and websockets included, by path."""
    found = []
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        said = _audiences(dependant) if dependant is not None else set()
        audience = said.pop() if len(said) == 1 else None
        methods = tuple(sorted(context.methods or ()))
        found.append(Route(context.path or "", methods, audience))
    return sorted(found, key=lambda route: (route.path, route.methods))


def _audiences(dependant: Dependant) -> set[Audience]:
    return {_MARKS[part.call] for part in _parts(dependant) if part.call in _MARKS}


def _parts(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for part in dependant.dependencies:
        yield from _parts(part)
