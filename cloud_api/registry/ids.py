"""Numbers in paths and queries. What is none is answered like one that does not exist."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from cloud_api.errors import NotFoundError

MAX_BIGINT = (1 << 63) - 1

IdText = Annotated[str, Path(max_length=64)]
OptionalIdText = Annotated[str | None, Query(max_length=64)]


def as_uuid(text: str) -> UUID:
    """Read the number of a site, gateway or device.

    Raises:
        NotFoundError: it is none.

    """
    try:
        return UUID(text)
    except ValueError as exc:
        raise NotFoundError from exc


def as_number(text: str) -> int:
    """Read the number of a point.

    Raises:
        NotFoundError: it is none.

    """
    if not (text.isascii() and text.isdecimal()) or int(text) > MAX_BIGINT:
        raise NotFoundError
    return int(text)
