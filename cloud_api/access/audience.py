"""Whom a route is for, read off what it depends on: classification and protection are one thing."""

from collections.abc import Iterator
from enum import StrEnum

from fastapi.dependencies.models import Dependant

from cloud_api.access import dependencies


class Audience(StrEnum):
    """Whose credential a route takes."""

    PUBLIC = "public"
    PERSON = "person"
    GATEWAY = "gateway"


_MARKS = {
    dependencies.public: Audience.PUBLIC,
    dependencies.signed_in: Audience.PERSON,
    dependencies.enrolled: Audience.GATEWAY,
}


def audiences(dependant: Dependant) -> set[Audience]:
    """Collect whom a route says it is for; a good route says it exactly once."""
    return {_MARKS[part.call] for part in _parts(dependant) if part.call in _MARKS}


def _parts(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for part in dependant.dependencies:
        yield from _parts(part)
