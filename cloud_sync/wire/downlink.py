"""Documents that the cloud has for a gateway. Stored in the inbox before they are acknowledged."""

from enum import StrEnum
from typing import Any

import msgspec


class DocumentKind(StrEnum):
    """What a document is about. A kind the gateway does not know is answered as failed."""

    COMMAND = "command"


class CommandName(StrEnum):
    """What a gateway can be told to do."""

    REFRESH = "refresh"
    """Read every device now, send every point whatever its deadband, declare the points again."""


class Document(msgspec.Struct, frozen=True):
    """One document. ``id`` is unique for ever; after ``not_after_us`` it must not be applied."""

    id: str
    kind: str
    issued_us: int
    not_after_us: int
    body: dict[str, Any]


class Command(msgspec.Struct, frozen=True):
    """Body of a document of kind ``command``."""

    name: str
    arguments: dict[str, Any] = {}
