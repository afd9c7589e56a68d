"""Where a point is among the resources of a device, and how the device is reached or listened to."""

import re
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from components.coap import limits
from components.payloads.extract import compile_path
from edge_runtime import model
from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Point as AnyPoint
from edge_runtime.model import Value

MAX_PATH = 512
_PATH = re.compile(r"/[^?#\s]*(\?[^#\s]+)?")


class Format(StrEnum):
    """What a payload holds."""

    AUTO = "auto"
    """What the message's content format says; without one, one plain value."""
    PLAIN = "plain"
    """One number, truth value or text."""
    JSON = "json"
    CBOR = "cbor"
    SENML = "senml"
    """A pack in JSON (RFC 8428)."""
    SENML_CBOR = "senml-cbor"


class Method(StrEnum):
    """How a resource is written."""

    PUT = "put"
    POST = "post"


class Point(model.Point):
    """One value in a resource."""

    path: str = Field(default="", max_length=MAX_PATH)
    """Of the resource, with a query if it takes one: ``/sensors/temp``. Not with ``listen``."""
    format: Format | None = None
    """The device's by default."""
    accept: bool = False
    """Ask the device for ``format``, where it has the resource in several."""
    json_path: str | None = Field(default=None, max_length=500)
    """Where in a JSON or CBOR document: RFC 9535, ``$.temp``; the document itself by default."""
    record: str = Field(default="", max_length=255)
    """Name of a SenML record after ``base_name``. By default the only record of the pack; with
    ``listen`` the point's name."""
    sum: bool = False
    """Take the record's sum in the place of its value."""
    map: dict[str, Value] = Field(default_factory=dict, max_length=256)
    """Texts of the device and the values they stand for: ``{"ON": true, "OFF": false}``."""
    observe: bool = True
    """Let the device report changes, if it can; else it is polled."""
    method: Method = Method.PUT
    """How it is written."""
    write_path: str = Field(default="", max_length=MAX_PATH)
    """Where it is written; ``path`` by default."""

    @field_validator("path", "write_path")
    @classmethod
    def _path_can_be_sent(cls, value: str) -> str:
        if value and not _PATH.fullmatch(value):
            msg = f"'{value}' is no path of a resource, such as /sensors/temp or /temp?unit=C"
            raise ValueError(msg)
        path, _, query = value.partition("?")
        parts = [*path.split("/"), *query.split("&")]
        if any(len(part.encode()) > limits.MAX_SEGMENT_BYTES for part in parts):
            msg = f"a part of a path has at most {limits.MAX_SEGMENT_BYTES} bytes"
            raise ValueError(msg)
        return value

    @field_validator("json_path")
    @classmethod
    def _json_path_is_one(cls, value: str | None) -> str | None:
        if value is not None:
            compile_path(value)
        return value

    @model_validator(mode="after")
    def _takes_one_thing(self) -> Self:
        if self.json_path is not None and (self.record or self.sum):
            msg = "'json_path' leads into a document, 'record' and 'sum' into a SenML pack: one of them"
            raise ValueError(msg)
        return self


class Settings(DeviceSettings):
    """One device: asked at ``host``, or heard on ``listen``."""

    host: str = Field(default="", max_length=253)
    """Name or address of the device, which is asked and observed."""
    listen: str = Field(default="", max_length=253)
    """Own address on which the device's posts are taken: ``0.0.0.0``. In the place of ``host``."""
    port: int = Field(default=limits.PORT, ge=1, le=65_535)
    """Of the device, or to listen on; devices may share one."""
    interval_s: float = Field(default=60.0, ge=0.05, le=86_400)
    """How often to poll what is not observed, or how often the device posts."""
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    """Longest wait for one answer, two repetitions included."""
    format: Format = Format.AUTO
    base_name: str = Field(default="", max_length=255)
    """What the names of all SenML records begin with: ``urn:dev:mac:0024befffe804ff1:``."""
    renew_after_s: float = Field(default=65.0, ge=0.1, le=86_400)
    """Longest silence of an observed resource; then, or when its Max-Age is over, it is asked again."""
    path: str = Field(default="", max_length=MAX_PATH)
    """Where the device posts; ``/`` and the device's name by default. Only with ``listen``."""
    sources: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that may post; needed with ``listen``."""
    token_file: Path | None = None
    """File with a word that posts must carry as query ``token=…``; it travels in the clear."""
    max_body_bytes: int = Field(default=16_384, ge=16, le=limits.MAX_ANSWER_BYTES)
    """Longest post."""
    max_posts_s: float = Field(default=20.0, gt=0, le=1_000)
    """Posts a second, on average; more are refused with 4.29."""
    points: tuple[Point, ...] = Field(min_length=1)

    @field_validator("sources", mode="before")
    @classmethod
    def _sources_are_networks(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        try:
            return tuple(ip_network(one) for one in value)
        except ValueError as exc:
            msg = f"a source is a network such as 10.20.0.0/24 or an address: {exc}"
            raise ValueError(msg) from None

    @field_validator("path")
    @classmethod
    def _path_is_one(cls, value: str) -> str:
        if value and (not _PATH.fullmatch(value) or "?" in value):
            msg = f"'{value}' is no path such as /tank"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _asks_or_listens(self) -> Self:
        if bool(self.host) == bool(self.listen):
            msg = "either 'host', for a device that is asked, or 'listen', for one that posts"
            raise ValueError(msg)
        problem = self._listening_problem() if self.listen else self._asking_problem()
        if problem:
            raise ValueError(problem)
        return self

    def _asking_problem(self) -> str:
        if self.path or self.sources or self.token_file:
            return "'path', 'sources' and 'token_file' belong to a device with 'listen'"
        for point in self.points:
            if not point.path:
                return f"point '{point.name}' needs the 'path' of its resource"
        if len({point.path for point in self.points}) > limits.MAX_RESOURCES:
            return f"more than {limits.MAX_RESOURCES} resources"
        return self._accept_problem()

    def _accept_problem(self) -> str:
        wanted: dict[str, Format] = {}
        for point in self.points:
            format_ = self.format_of(point)
            if not point.accept:
                continue
            if format_ is Format.AUTO:
                return f"point '{point.name}': 'accept' needs a 'format' to ask for"
            if wanted.setdefault(point.path, format_) is not format_:
                return f"'{point.path}' can be asked for in one format only"
        return ""

    def _listening_problem(self) -> str:
        if not self.sources:
            return "'listen' needs 'sources', the networks that may post, such as [10.20.0.0/24]"
        for point in self.points:
            if point.path or point.write_path:
                return f"point '{point.name}': with 'listen' leave 'path' out; see 'record'"
        return ""

    def promised_s(self, point: AnyPoint) -> float:
        """An observed resource is silent until its renewal."""
        polled = super().promised_s(point)
        if self.stale_after_s is not None or not isinstance(point, Point):
            return polled
        if self.listen or not point.observe:
            return polled
        return max(polled, self.renew_after_s + 2 * self.timeout_s)

    def format_of(self, point: Point) -> Format:
        """Give what a point's payload holds."""
        return point.format or self.format

    def record_of(self, point: Point) -> str:
        """Give the full name of a point's record; empty for the only one of a pack."""
        own = point.record or (point.name if self.listen else "")
        return f"{self.base_name}{own}" if own else ""

    @property
    def post_path(self) -> str:
        """Where the device posts."""
        return self.path or f"/{self.name}"

    @property
    def at(self) -> str:
        """Where the device is, for people."""
        if self.listen:
            return f"{hostport(self.listen, self.port)}{self.post_path}"
        return hostport(self.host, self.port)


def hostport(host: str, port: int) -> str:
    """Write host and port as in a URI."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
