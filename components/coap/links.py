"""Link format (RFC 6690): what a device says of its resources; pure."""

import re
from dataclasses import dataclass

MAX_LINKS = 500
MAX_BYTES = 65_536
_LINK = re.compile(
    r"\s*+<(?P<target>[^>]*+)>"
    r"(?P<rest>(?:\s*+;[^;,\"]*+(?:\"(?:[^\"\\]|\\.)*+\")?+)*+)\s*+(?:,|$)"
)
"""Nothing in it goes back over what it took: a long list must not cost long."""
_ATTRIBUTE = re.compile(r";\s*([^\s=;,\"]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;,\"\s]*)))?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Link:
    """One resource."""

    path: str
    title: str = ""
    observable: bool = False
    formats: tuple[int, ...] = ()
    """Content formats it gives."""
    kind: str = ""
    """Resource type (``rt``)."""


class LinksError(ValueError):
    """It is no link format."""


def parse_links(data: bytes) -> tuple[Link, ...]:
    """Read the links of a device; those that lead elsewhere are left out.

    Raises:
        LinksError: it is no link format.

    """
    try:
        text = data[:MAX_BYTES].decode()
    except UnicodeDecodeError as exc:
        msg = f"it is not UTF-8 (byte {exc.start})"
        raise LinksError(msg) from exc
    links: list[Link] = []
    place = 0
    while place < len(text) and len(links) < MAX_LINKS:
        found = _LINK.match(text, place)
        if found is None:
            msg = f"it is no link format at character {place}: {text[place : place + 30]!r}"
            raise LinksError(msg)
        place = found.end()
        target = found["target"]
        if not _SCHEME.match(target) and not target.startswith("//"):
            links.append(_link(target, found["rest"]))
    return tuple(links)


def _link(target: str, rest: str) -> Link:
    attributes = {key.lower(): quoted or plain for key, quoted, plain in _ATTRIBUTE.findall(rest)}
    words = attributes.get("ct", "").split()
    formats = tuple(int(word) for word in words if re.fullmatch(r"[0-9]{1,5}", word))
    return Link(
        path=target if target.startswith("/") else f"/{target}",
        title=attributes.get("title", "")[:100],
        observable="obs" in attributes,
        formats=formats,
        kind=attributes.get("rt", "")[:100],
    )


def point_name(path: str, taken: set[str]) -> str:
    """Make a point's name of a path: ``/sensors/Temp-1`` becomes ``sensors_temp_1``."""
    name = re.sub(r"[^a-z0-9]+", "_", path.lower()).strip("_")[:50]
    name = name if name[:1].isalpha() else f"p_{name}".rstrip("_")
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique
