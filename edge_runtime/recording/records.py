"""What stands in a recording: one header, then what devices said, in order. Pure.

Of a device's settings only those are taken that every device has. Whatever a protocol adds (hosts,
users, passwords, files, headers) is left out, so that a secret cannot slip in.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from pydantic import Field

from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Point, Quality, Reading, Value
from edge_runtime.settings import ConfiguredDevice

VERSION = 1


class RecordedDevice(msgspec.Struct, frozen=True):
    """One device as it was recorded."""

    protocol: str
    address: str
    """Where it was, for people."""
    settings: Mapping[str, Any]
    """The fields of :class:`ReplaySettings`."""


class Header(msgspec.Struct, frozen=True):
    """The first frame."""

    version: int
    gateway: str
    started_us: int
    """Wall time of the start, µs since 1970 UTC; all other times count from it."""
    software: str
    devices: tuple[RecordedDevice, ...]


class Taken(msgspec.Struct, frozen=True, array_like=True):
    """One raw reading."""

    point: str
    value: bool | int | float | str | None
    quality: int
    reason: str
    source_us: int | None


class Opened(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """A session with a device began."""

    t_us: int
    device: str
    subscribable: bool


class Answered(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A device was read; ``t_us`` is when it was asked."""

    t_us: int
    device: str
    took_us: int
    readings: tuple[Taken, ...]


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A session ended, or could not begin."""

    t_us: int
    device: str
    took_us: int
    refused: bool
    """The device answered with an error; else it did not answer."""
    message: str
    hint: str


class Heard(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """A device reported by itself."""

    t_us: int
    device: str
    readings: tuple[Taken, ...]
    confirmed: tuple[str, ...]
    polled: tuple[str, ...] | None


class Shown(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """What lay beneath the readings: once a session, where the protocol can show it."""

    t_us: int
    device: str
    points: tuple[tuple[str, str, bytes], ...]
    """Point, where it was in the protocol's words, its bytes."""


class Ended(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """The recording ended as it was meant to."""

    t_us: int


Record: TypeAlias = Opened | Answered | Failed | Heard | Shown | Ended


class ReplaySettings(DeviceSettings):
    """A device off a tape."""

    promised: dict[str, float] = Field(default_factory=dict)
    """What the recorded driver promised for each point, in seconds."""

    def promised_s(self, point: Point) -> float:
        """Give what was promised when it was recorded."""
        return self.promised.get(point.name) or super().promised_s(point)


def describe(device: ConfiguredDevice) -> RecordedDevice:
    """Describe a device by what every device has."""
    settings = device.settings
    common = set(DeviceSettings.model_fields) - {"points", "adapter", "stale_after_s"}
    fields = settings.model_dump(mode="json", include=common, exclude_defaults=True)
    fields["points"] = [
        point.model_dump(mode="json", include=set(Point.model_fields), exclude_defaults=True)
        for point in settings.points
    ]
    fields["promised"] = {point.name: settings.promised_s(point) for point in settings.points}
    return RecordedDevice(device.driver.protocol, device.driver.address(settings), fields)


def pack(readings: Sequence[Reading]) -> tuple[Taken, ...]:
    """Make readings ready for the tape."""
    return tuple(
        Taken(r.point, _plain(r.value), int(r.quality), str(r.reason), r.source_us)
        for r in readings
    )


def unpack(taken: Taken, shift_us: int) -> Reading:
    """Make a reading again; the device's own time is moved along with the replay."""
    source_us = None if taken.source_us is None else taken.source_us + shift_us
    return Reading(taken.point, taken.value, Quality(taken.quality), taken.reason, source_us)


def _plain(value: Value | None) -> Value | None:
    """MessagePack has integers of 64 bits."""
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return float(value)
    return value
