"""Where a point lies in a BACnet device, and how the device is found."""

import ipaddress
import re
from functools import lru_cache
from typing import Literal, Self

from bacpypes3.basetypes import PropertyIdentifier
from bacpypes3.primitivedata import ObjectType
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from components.bacnet import limits
from components.bacnet.kinds import object_name, object_type
from components.bacnet.messages import ObjectId, Ref
from edge_runtime.driver import MISSED_INTERVALS, DeviceSettings
from edge_runtime.model import Point as AnyPoint

_HOST = re.compile(r"^[^\s:/]+(:\d{1,5})?$")
MAX_TYPE = 1_023


@lru_cache(maxsize=50_000)
def parse_object(text: str) -> ObjectId:
    """Read ``analog-input,1`` or ``128,1`` (or with a colon).

    Raises:
        ValueError: it is none; says what is expected.

    """
    name, _, instance = text.replace(":", ",").partition(",")
    try:
        kind = int(name) if name.isdecimal() else int(ObjectType(name))
        number = int(instance)
    except (ValueError, TypeError):
        msg = f"'{text}' is no object; expected a type and an instance, such as analog-input,1"
        raise ValueError(msg) from None
    if kind > MAX_TYPE or not 0 <= number <= limits.MAX_INSTANCE:
        msg = f"'{text}' is no object; instances go from 0 to {limits.MAX_INSTANCE}"
        raise ValueError(msg)
    return kind, number


@lru_cache(maxsize=5_000)
def parse_property(text: str) -> int:
    """Read ``present-value`` or the number of a vendor's own property.

    Raises:
        ValueError: it is none.

    """
    try:
        number = int(text) if text.isdecimal() else int(PropertyIdentifier(text))
    except (ValueError, TypeError):
        msg = f"'{text}' is no property; expected a name such as present-value, or a number"
        raise ValueError(msg) from None
    if number > limits.MAX_INSTANCE:
        msg = f"{number} is no property; they end at {limits.MAX_INSTANCE}"
        raise ValueError(msg)
    return number


class Point(AnyPoint):
    """One property of one object."""

    object: str = Field(max_length=60)
    property: str = Field(default="present-value", max_length=60)
    index: int | None = Field(default=None, ge=0, le=65_535)
    """Element of an array, counted from 1; 0 is its length."""
    priority: int | None = Field(default=None, ge=1, le=limits.MAX_PRIORITY)
    """Of writes; without it the device takes 16, the lowest."""
    cov: bool | Literal["auto"] = "auto"
    """Whether the device is asked to report changes; ``auto``: if it says that it can."""
    cov_increment: float | None = Field(default=None, gt=0)
    """How far the value must move to be reported; the device's own by default."""

    @field_validator("object")
    @classmethod
    def _is_object(cls, value: str) -> str:
        parse_object(value)
        return value

    @field_validator("property")
    @classmethod
    def _is_property(cls, value: str) -> str:
        parse_property(value)
        return value

    @field_validator("priority")
    @classmethod
    def _is_free(cls, value: int | None) -> int | None:
        if value == limits.RESERVED_PRIORITY:
            msg = "priority 6 is the device's own, for minimum on and off times; take 7 to 16, or 8 for a manual operator"
            raise ValueError(msg)
        return value


def ref_of(point: Point) -> Ref:
    """Give what a point is read by."""
    return Ref(parse_object(point.object), parse_property(point.property), point.index)


def is_value(ref: Ref) -> bool:
    """Tell whether it is an object's present value, which status flags and COV belong to."""
    return ref.property == limits.PRESENT_VALUE and ref.element is None


class Foreign(BaseModel):
    """Registration with a BBMD: the way to devices behind a router (Annex J.5)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bbmd: str = Field(max_length=260)
    """``host`` or ``host:port`` of the BBMD."""
    ttl_s: int = Field(default=60, ge=5, le=65_535)
    """How long a registration holds; it is renewed in time."""

    @field_validator("bbmd")
    @classmethod
    def _is_host(cls, value: str) -> str:
        return checked_host(value)


class Settings(DeviceSettings):
    """One device, named by its instance, its address or both."""

    device_instance: int | None = Field(default=None, ge=0, le=limits.MAX_INSTANCE)
    """What the device is, wherever it is."""
    host: str = Field(default="", max_length=260)
    """``host`` or ``host:port``; empty: found by its instance."""
    local_address: str = Field(default="", max_length=60)
    """Own address, with the length of the network for broadcasts: 192.0.2.5/24."""
    local_port: int | None = Field(default=None, ge=0, le=65_535)
    """Own port: 47808 where broadcasts are needed, else any; 0: any."""
    foreign: Foreign | None = None
    local_instance: int = Field(default=4_190_000, ge=0, le=limits.MAX_INSTANCE)
    """Own device instance, unique on the site."""
    local_vendor_id: int = Field(default=0, ge=0, le=65_535)
    retries: int = Field(default=1, ge=0, le=5)
    """How often an unanswered request is sent again within ``timeout_s``."""
    timeout_s: float = Field(default=3.0, gt=0, le=60)
    max_apdu: int = Field(default=limits.MAX_APDU, ge=50, le=limits.MAX_APDU)
    """Longest message that is asked of the device, whatever it says it can."""
    cov_lifetime_s: int = Field(default=300, ge=2, le=limits.MAX_LIFETIME_S)
    """How long a subscription holds; it is renewed at half time."""
    cov_confirmed: bool = True
    """Each report is acknowledged, so that none is lost."""
    confirm_s: float = Field(default=10.0, ge=0.1, le=3_600)
    """How often a device that reports by itself is asked whether it lives."""
    points: tuple[Point, ...] = Field(min_length=1)

    @field_validator("host")
    @classmethod
    def _is_host(cls, value: str) -> str:
        return checked_host(value) if value else value

    @field_validator("local_address")
    @classmethod
    def _is_interface(cls, value: str) -> str:
        try:
            if value:
                ipaddress.IPv4Interface(value)
        except ValueError:
            msg = f"'{value}' is no address of this machine, such as 192.0.2.5/24"
            raise ValueError(msg) from None
        return value

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.device_instance is None and not self.host:
            msg = "give 'device_instance', 'host', or both"
            raise ValueError(msg)
        return self

    @property
    def at(self) -> str:
        """Where the device is, for people."""
        names = [f"device {self.device_instance}"] if self.device_instance is not None else []
        return " at ".join([*names, *([self.host] if self.host else [])])

    @property
    def port(self) -> int:
        """The own port as it will be asked for."""
        if self.local_port is not None:
            return self.local_port
        return 0 if self.host or self.foreign else limits.PORT

    def promised_s(self, point: AnyPoint) -> float:
        """Give the longest time without news: reported points are confirmed each ``confirm_s``."""
        polled = super().promised_s(point)
        if self.stale_after_s is not None or not isinstance(point, Point) or not reports(point):
            return polled
        return max(polled, MISSED_INTERVALS * self.confirm_s + self.timeout_s)


def reports(point: Point) -> bool:
    """Tell whether the device will be asked to report changes of this point."""
    if point.cov == "auto":
        ref = ref_of(point)
        return is_value(ref) and object_type(ref.object[0]).reports
    return point.cov


def checked_host(text: str) -> str:
    """Check the form of ``host`` or ``host:port``.

    Raises:
        ValueError: it is none.

    """
    if not _HOST.match(text) or int(text.partition(":")[2] or 1) not in range(1, 65_536):
        msg = f"'{text}' is no address; expected a name or an address, with :port where it is not 47808"
        raise ValueError(msg)
    return text


def shown(point: Point) -> str:
    """Write where a point lies, for people."""
    index = "" if point.index is None else f"[{point.index}]"
    return f"{object_name(parse_object(point.object))} {point.property}{index}"
