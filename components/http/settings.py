"""Where a point lies in a JSON resource or a posted message, and how the device is reached."""

import ipaddress
import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    field_validator,
    model_validator,
)

from components.http import limits
from components.payloads.extract import TimeUnit, compile_path
from edge_runtime import model
from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Value

PLACE = "{value}"
"""Where a template takes the value."""
MAX_PORT = 65_535
PATH = r"^/[^\s#]*$"
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")


class Method(StrEnum):
    """How a value is written."""

    PUT = "PUT"
    POST = "POST"
    PATCH = "PATCH"
    GET = "GET"
    """Some devices take commands in the query of an address."""


class Write(BaseModel):
    """How one point is written. ``{value}`` stands for the value, in path and body."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = Method.PUT
    path: str = Field(pattern=PATH, max_length=500)
    body: JsonValue = PLACE
    """Sent as JSON, with the value in the place of each text that is ``{value}``."""
    text: str | None = Field(default=None, max_length=1_000)
    """Sent as plain text in the place of ``body``."""


class Point(model.Point):
    """One value of a device."""

    path: str | None = Field(default=None, pattern=PATH, max_length=500)
    """Resource of a polled device; the device's by default."""
    json_path: str | None = Field(default=None, max_length=500)
    """JSONPath of the value (RFC 9535)."""
    record: str | None = Field(default=None, min_length=1, max_length=255)
    """Name of the SenML record, base name included."""
    map: dict[str, bool | int | float] = Field(default_factory=dict, max_length=64)
    """What texts stand for, as the device writes them: ``{heating: 2}``."""
    write: Write | None = None

    @field_validator("json_path")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        if value is not None:
            compile_path(value)
        return value

    @field_validator("map", mode="before")
    @classmethod
    def _are_texts(cls, value: object) -> object:
        if isinstance(value, dict) and any(isinstance(word, bool) for word in value):
            msg = "put on, off, yes, no, true and false in quotes: YAML takes them for booleans"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _lies_in_one_place(self) -> Self:
        if self.json_path is not None and self.record is not None:
            msg = "give 'json_path' or 'record' (SenML), not both"
            raise ValueError(msg)
        return self


class Settings(DeviceSettings):
    """A device that is polled at ``url``, or that posts to ``listen``."""

    url: str | None = Field(default=None, max_length=500)
    """``https://10.0.0.7/api``; resources are counted from it."""
    path: str = Field(default="/", pattern=PATH, max_length=500)
    """Resource of points that name none."""
    post: dict[str, JsonValue] = Field(default_factory=dict, max_length=32)
    """Resources that are asked by POST, each with the JSON that is sent."""
    use_etag: bool = False
    """Ask "anything new?" with the ETag of the last answer."""
    max_bytes: int = Field(default=limits.MAX_ANSWER_BYTES, ge=64, le=limits.MOST_ANSWER_BYTES)
    """Of one answer."""
    ca_file: Path | None = None
    """Trust this authority and no other, in PEM; the system's by default."""
    username: str | None = Field(default=None, min_length=1, max_length=200)
    password: SecretStr | None = None
    password_file: Path | None = None
    headers: dict[str, str] = Field(default_factory=dict, max_length=limits.MAX_HEADERS)
    headers_file: Path | None = None
    """Lines ``Name: value`` that are secret."""

    listen: str | None = Field(default=None, max_length=300)
    """``0.0.0.0:8088``: the address that the device posts to, at ``/push/<its name>``."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    max_posts_per_s: float = Field(default=limits.DEFAULT_POSTS_PER_S, gt=0, le=10_000)

    token: SecretStr | None = None
    """Sent to a polled device, expected of one that posts: ``Authorization: Bearer``."""
    token_file: Path | None = None
    insecure: bool = False
    """Let secrets travel without TLS."""
    time_path: str | None = Field(default=None, max_length=500)
    """JSONPath of the device's own time."""
    time_unit: TimeUnit = TimeUnit.RFC3339
    points: tuple[Point, ...] = Field(min_length=1)

    @field_validator("time_path")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        if value is not None:
            compile_path(value)
        return value

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            fine = bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if not fine or parts.scheme not in {"http", "https"} or re.search(r"\s", value):
            msg = (
                f"'{value}' is no address such as http://10.0.0.7 or https://heater.local:8443/api"
            )
            raise ValueError(msg)
        if parts.username is not None or parts.query or parts.fragment:
            msg = "no name, password, query or fragment here: use 'username', 'path'"
            raise ValueError(msg)
        return value.rstrip("/")

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not (
            (found := _LISTEN.fullmatch(value)) and int(found["port"]) <= MAX_PORT
        ):
            msg = f"'{value}' is no address to listen on, such as 0.0.0.0:8088 or [::]:8088"
            raise ValueError(msg)
        return value

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _HEADER.fullmatch(name) or not is_header_value(text):
                msg = f"'{name[:40]}' and its value make no header"
                raise ValueError(msg)
            if name.lower() in SECRET_HEADERS:
                msg = f"'{name}' is a secret: put it into a file and name that as 'headers_file'"
                raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _is_polled_or_posts(self) -> Self:
        if (self.url is None) == (self.listen is None):
            msg = "give 'url' for a device that is polled, or 'listen' for one that posts"
            raise ValueError(msg)
        foreign = _POLLED if self.url is None else _POSTING
        stray = sorted(foreign & self.model_fields_set)
        if stray:
            kind = "posts" if self.url is None else "is polled"
            msg = f"{', '.join(map(repr, stray))}: not for a device that {kind}"
            raise ValueError(msg)
        for given in _problems(self):
            raise ValueError(given)
        return self

    @property
    def at(self) -> str:
        """Where the device is, for people."""
        return self.url if self.url is not None else f"{self.listen}/push/{self.name}"

    @property
    def listen_at(self) -> tuple[str, int]:
        """Host and port to listen on."""
        found = _LISTEN.fullmatch(self.listen or "")
        assert found is not None
        return found["host"].strip("[]"), int(found["port"])

    @property
    def has_secret(self) -> bool:
        """Whether something secret travels."""
        return any(
            part is not None
            for part in (self.token, self.token_file, self.username, self.headers_file)
        )


_POLLED = frozenset(
    {"path", "post", "use_etag", "max_bytes", "ca_file", "username", "password", "password_file",
     "headers", "headers_file"}
)  # fmt: skip
_POSTING = frozenset({"certificate_file", "key_file", "max_posts_per_s"})


def _problems(settings: Settings) -> list[str]:
    """Say what does not go together."""
    problems: list[str] = []
    for one, other in (("token", "token_file"), ("password", "password_file")):
        if getattr(settings, one) is not None and getattr(settings, other) is not None:
            problems.append(f"give '{one}' or '{other}', not both")
    if settings.listen is not None:
        return problems + _problems_of_posting(settings)
    password = settings.password is not None or settings.password_file is not None
    if (settings.username is not None) != password:
        problems.append("'username' needs 'password' or 'password_file', and the reverse")
    if settings.username is not None and (settings.token or settings.token_file):
        problems.append("give 'username' or 'token', not both")
    plain = (settings.url or "").startswith("http:")
    host = urlsplit(settings.url or "").hostname or ""
    if plain and settings.has_secret and not settings.insecure and not is_loopback(host):
        problems.append(
            "a secret would travel unencrypted: use https, or 'insecure: true' if you accept that"
        )
    problems += [
        f"point '{point.name}': 'path' of 'post' must be one that a point has: {sorted(settings.post)}"
        for point in settings.points[:1]
        if not settings.post.keys() <= {p.path or settings.path for p in settings.points}
    ]
    return problems


def _problems_of_posting(settings: Settings) -> list[str]:
    problems: list[str] = []
    if settings.token is None and settings.token_file is None:
        problems.append("a device that posts needs 'token' or 'token_file'")
    if settings.token is not None and len(settings.token.get_secret_value()) < limits.MIN_TOKEN:
        problems.append(f"'token' needs {limits.MIN_TOKEN} characters or more")
    if (settings.certificate_file is None) != (settings.key_file is None):
        problems.append("'certificate_file' and 'key_file' belong together")
    host, _ = settings.listen_at
    if settings.certificate_file is None and not settings.insecure and not is_loopback(host):
        problems.append(
            "tokens would travel unencrypted: give 'certificate_file' and 'key_file', "
            "or 'insecure: true' if you accept that"
        )
    for point in settings.points:
        if point.path is not None or point.write is not None:
            problems.append(f"point '{point.name}': 'path' and 'write' are for polled devices")
        if point.json_path is None and point.record is None:
            problems.append(f"point '{point.name}': needs 'json_path' or 'record'")
    return problems


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its name alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_header_value(text: str) -> bool:
    """Tell whether a text can be the value of a header."""
    return len(text) <= limits.MAX_SECRET_BYTES and text.isascii() and text.isprintable()


def filled(template: Any, value: Value) -> Any:
    """Put the value in the place of each text that is ``{value}``."""
    match template:
        case str():
            return value if template == PLACE else template
        case dict():
            return {name: filled(inner, value) for name, inner in template.items()}
        case list():
            return [filled(inner, value) for inner in template]
        case _:
            return template
