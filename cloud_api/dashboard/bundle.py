"""The files of the dashboard, read once: a request can name only what was there at the start."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

INDEX = "index.html"
ASSETS = "assets/"
"""Names in here carry a hash of the content, so a browser may keep them for ever."""
MAX_FILES = 500
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file of the bundle."""

    content: bytes
    media_type: str
    etag: str
    keep_for_ever: bool


@cache
def load_bundle() -> Mapping[str, File]:
    """Read the bundle: path below ``static`` → file; empty if it was not built."""
    root = files("cloud_api.dashboard").joinpath("static")
    return dict(_walk(root, "")) if root.is_dir() else {}


def find(bundle: Mapping[str, File], path: str) -> File | None:
    """Give the file of a path; the page itself for every path that names no file."""
    file = bundle.get(path)
    if file is None and "." not in path.rpartition("/")[2]:
        return bundle.get(INDEX)
    return file


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, File]]:
    found: list[tuple[str, File]] = []
    for entry in folder.iterdir():
        path = prefix + entry.name
        if entry.is_dir():
            found += _walk(entry, f"{path}/")
        else:
            found.append((path, _read(entry, path)))
    return found[:MAX_FILES]


def _read(entry: Traversable, path: str) -> File:
    content = entry.read_bytes()
    suffix = "." + path.rpartition(".")[2]
    media_type = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return File(content, media_type, etag, path.startswith(ASSETS))
