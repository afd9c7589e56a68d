"""Where a point's value is among the messages of a device, and how commands reach it."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from components.mqtt.broker_settings import BrokerSettings
from components.mqtt.topics import filled, wrong_filter, wrong_topic
from components.payloads.extract import TimeUnit, compile_path
from edge_runtime import model
from edge_runtime.model import Value

MAX_PATH = 256


class Format(StrEnum):
    """What a message holds."""

    PLAIN = "plain"
    """One number, truth value or text."""
    JSON = "json"
    SENML = "senml"
    """A pack in JSON (RFC 8428)."""
    SENML_CBOR = "senml-cbor"
    CBOR = "cbor"

    @property
    def has_paths(self) -> bool:
        """Whether a ``json_path`` leads into it."""
        return self in {Format.JSON, Format.CBOR}

    @property
    def has_records(self) -> bool:
        """Whether it is a pack of records."""
        return self in {Format.SENML, Format.SENML_CBOR}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Availability(_Part):
    """A topic on which the device, or its last will, says whether it is there."""

    topic: str
    online: str = Field(default="online", min_length=1, max_length=256)
    offline: str = Field(default="offline", min_length=1, max_length=256)
    json_path: str | None = Field(default=None, max_length=MAX_PATH)
    """JSON path, where the message is JSON."""

    @field_validator("json_path")
    @classmethod
    def _path_is_one(cls, value: str | None) -> str | None:
        if value is not None:
            compile_path(value)
        return value


class Command(_Part):
    """How a point is written: a message to the device, and the answer that it gives."""

    topic: str
    format: Literal["plain", "json"] = "plain"
    member: str = Field(default="value", min_length=1, max_length=64)
    """Member of a JSON command that holds the value."""
    response_topic: str | None = None
    """Where the device answers; without it nobody knows whether the device took the command."""
    correlation: str | None = Field(default=None, min_length=1, max_length=64)
    """Member of a JSON command and its answer that holds the command's id, for devices that do not
    send MQTT 5.0 correlation data back."""
    error_member: str = Field(default="error", min_length=1, max_length=64)
    """Member of a JSON answer that, unless empty, says why the device refused."""
    qos: Literal[0, 1] = 1
    retain: bool = False
    """Dangerous: the device takes the command again whenever it connects."""

    @model_validator(mode="after")
    def _correlation_has_a_place(self) -> Self:
        if self.correlation is not None and (
            self.format != "json" or self.response_topic is None or self.correlation == self.member
        ):
            msg = "'correlation' needs 'format: json', a 'response_topic' and a member of its own"
            raise ValueError(msg)
        return self


class Point(model.Point):
    """One value in the messages on a topic."""

    topic: str = Field(min_length=1)
    """Filter with wildcards and placeholders: ``plant/{device}/temperature``, ``plant/+/state``."""
    format: Format | None = None
    """The device's by default."""
    json_path: str | None = Field(default=None, max_length=MAX_PATH)
    """Where in a JSON or CBOR document: RFC 9535, ``$.temp``; the document itself by default."""
    time_path: str | None = Field(default=None, max_length=MAX_PATH)
    """Where the document holds the value's own time; the device's ``time_path`` by default."""
    record: str = Field(default="", max_length=255)
    """Full name of a SenML record; empty where the pack holds one."""
    map: dict[str, Value] = Field(default_factory=dict, max_length=256)
    """Texts of the device and the values they stand for: ``{"ON": true, "OFF": false}``."""
    on_change: bool = False
    """Published when it changes, and retained: a retained message is the present value, and it holds
    as long as ``availability`` says online."""
    command: Command | None = None

    @field_validator("json_path", "time_path")
    @classmethod
    def _paths_are_ones(cls, value: str | None) -> str | None:
        if value is not None:
            compile_path(value)
        return value


class Settings(BrokerSettings):
    """One device that publishes through a broker."""

    interval_s: float = Field(default=60.0, ge=0.05, le=86_400)
    """How often the device publishes."""
    format: Format = Format.PLAIN
    """Of points that name none; ``json`` for those with a ``json_path``."""
    time_path: str | None = Field(default=None, max_length=MAX_PATH)
    """Where a document holds its time."""
    time_unit: TimeUnit | None = None
    """How it is written; by default a text is RFC 3339 and a number, by its size, s, ms or µs."""
    placeholders: dict[str, str] = Field(default_factory=dict, max_length=16)
    """Values for ``{name}`` in topics; ``{device}`` is the device's name."""
    availability: Availability | None = None
    points: tuple[Point, ...] = Field(min_length=1)

    @field_validator("time_path")
    @classmethod
    def _path_is_one(cls, value: str | None) -> str | None:
        if value is not None:
            compile_path(value)
        return value

    @model_validator(mode="after")
    def _topics_can_be_used(self) -> Self:
        for point in self.points:
            where = f"point '{point.name}'"
            _check(where, wrong_filter(self.topic_of(point.topic)))
            if point.command is not None:
                _check(f"{where}: command", wrong_topic(self.topic_of(point.command.topic)))
                if point.command.response_topic is not None:
                    response = self.topic_of(point.command.response_topic)
                    _check(f"{where}: response_topic", wrong_topic(response))
            form = self.format_of(point)
            if point.json_path is not None and not form.has_paths:
                _check(
                    where, f"'json_path' does not go with format '{form}'; json and cbor have paths"
                )
            if point.record and not form.has_records:
                _check(where, f"'record' does not go with format '{form}'; senml has records")
        if self.availability is not None:
            _check("availability", wrong_filter(self.topic_of(self.availability.topic)))
        return self

    def topic_of(self, template: str) -> str:
        """Fill in a topic."""
        return filled(template, {"device": self.name, **self.placeholders})

    def format_of(self, point: Point) -> Format:
        """Give what a point's messages hold."""
        if point.format is not None:
            return point.format
        if point.json_path is not None and not self.format.has_paths:
            return Format.JSON
        return self.format

    @property
    def at(self) -> str:
        """Where the device is, for people: the broker and the first topic."""
        return f"{self.broker.at} {self.topic_of(self.points[0].topic)}"


def _check(where: str, wrong: str) -> None:
    if wrong:
        msg = f"{where}: {wrong}"
        raise ValueError(msg)
