"""Point and Reading: the one data model that every protocol is turned into."""

from enum import StrEnum
from typing import Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud_sync.wire.quality import Quality, Reason
from cloud_sync.wire.samples import Value
from edge_runtime.names import POINT_NAME

__all__ = ["Access", "Point", "PointKind", "Quality", "Reading", "Reason", "Value"]


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value of one point with quality and time.

    ``point`` is the point's name within its device as it comes from a driver, and the key
    ``device/point`` from normalisation on. A bad reading carries no value. Times are µs since 1970
    UTC: ``source_us`` by the device's own clock, ``received_us`` by the gateway's, set when the
    driver's answer arrived.
    """

    point: str
    value: Value | None
    quality: Quality = Quality.GOOD
    reason: str = Reason.NONE
    source_us: int | None = None
    received_us: int = 0


class PointKind(StrEnum):
    """What an engineering value is."""

    FLOAT = "float"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    ENUMERATION = "enumeration"
    """An integer with ``labels``."""


class Access(StrEnum):
    """What a point is made for; whether it may be written is the gateway's allow-list to say."""

    READ = "read"
    READ_WRITE = "read_write"
    WRITE = "write"
    """A command: there is nothing to read."""


class Point(BaseModel):
    """One named value on a device, as a profile describes it.

    A driver adds where the value lives by a subclass (``components.modbus``: table, address, type,
    word order). Raw to engineering value: pick ``bit``, then ``raw * scale * 10**scale_point +
    offset``, then clamp.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=POINT_NAME, max_length=63)
    kind: PointKind = PointKind.FLOAT
    unit: str = Field(default="", max_length=32, description="UCUM code: Cel, bar, kW.h")
    description: str = Field(default="", max_length=200)
    access: Access = Access.READ
    labels: dict[int, str] = Field(default_factory=dict)
    bit: int | None = Field(default=None, ge=0, le=63)
    """Take this bit of the raw integer; makes the point a boolean."""
    scale: float = 1.0
    offset: float = 0.0
    scale_point: str | None = None
    """Name of an integer point of the same device that holds a power of ten (SunSpec ``sunssf``)."""
    decimals: int | None = Field(default=None, ge=0, le=6)
    """Round to what the device really resolves: smaller on disk and on the wire."""
    minimum: float | None = None
    maximum: float | None = None
    """Outside of [minimum, maximum] the value is clamped and uncertain."""
    sentinels: tuple[float, ...] = ()
    """Raw values by which the device says "not implemented": bad quality."""
    interval_s: float | None = Field(default=None, ge=0.05, le=86_400)
    """Own polling interval; the device's by default."""
    deadband: float = Field(default=0.0, ge=0)
    """A good value that moved by no more than this is not sent again before ``max_silence_s``."""
    max_silence_s: float | None = Field(default=None, ge=0.1, le=86_400)
    """Longest time without a sample; the device's by default."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind is PointKind.ENUMERATION and not self.labels:
            msg = "an enumeration needs 'labels', such as {0: stopped, 1: running}"
            raise ValueError(msg)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            msg = f"minimum {self.minimum} is above maximum {self.maximum}"
            raise ValueError(msg)
        if self.scale == 0:
            msg = "scale 0 would make every value the same; leave it out for 1"
            raise ValueError(msg)
        return self
