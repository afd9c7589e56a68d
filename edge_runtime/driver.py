"""The driver contract: what a protocol must be able to do, and what it may.

A driver turns one protocol into readings, and nothing else. The runtime owns the poll loop, the
back-off, the time-outs, the buffers and the logging of outages (:mod:`edge_runtime.polling`).

- A device that does not answer raises :class:`~edge_runtime.errors.DeviceUnreachableError`.
- One bad point is a reading of bad quality with a reason, never an exception.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from edge_runtime.discovery import Discover
from edge_runtime.model import Point, Reading, Value
from edge_runtime.names import ADAPTER_NAME, NAME

MISSED_INTERVALS = 3
"""Intervals without news that make a point stale."""


class DeviceSettings(BaseModel):
    """What every device has, whatever it speaks; a driver adds host, port and the like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME, max_length=63)
    description: str = Field(default="", max_length=200)
    profile: str = ""
    """Name of the device profile that the points came from; empty where they stand in the file."""
    vendor: str = ""
    model: str = ""
    device_identity: str = Field(default="", max_length=200)
    """What stays the same when its address changes: a serial number; ``edge scan`` writes it."""
    interval_s: float = Field(default=1.0, ge=0.05, le=86_400)
    max_silence_s: float = Field(default=60.0, ge=0.1, le=86_400)
    timeout_s: float = Field(default=1.0, gt=0, le=60)
    """Longest wait for one answer."""
    stale_after_s: float | None = Field(default=None, ge=0.1, le=604_800)
    """Without news of a point for this long it is bad (``stale``); see :meth:`promised_s`."""
    adapter: str = Field(default="", pattern=ADAPTER_NAME, max_length=63)
    """Name of the process of its own that reads this device; empty for the runtime itself."""
    points: tuple[Point, ...] = Field(min_length=1)
    """A driver narrows this to its own subclass of :class:`~edge_runtime.model.Point`."""

    def promised_s(self, point: Point) -> float:
        """Give the longest time without news of a point, read or confirmed, in seconds.

        A driver whose protocol confirms less often than this overrides it (COV renewal, Max-Age).
        """
        if self.stale_after_s is not None:
            return self.stale_after_s
        return MISSED_INTERVALS * (point.interval_s or self.interval_s) + self.timeout_s


class Device(Protocol):
    """An open device."""

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Read these points (names within the device) once; one reading a point, in any order.

        Values are raw: picked from the device with their type and byte order, neither scaled nor
        labelled. ``received_us`` may stay 0; the runtime sets it.

        Raises:
            DeviceError: the device as a whole did not answer or refused.

        """
        ...


@runtime_checkable
class Writable(Protocol):
    """A device whose points can be written."""

    async def write(self, point: str, value: Value) -> None:
        """Write one raw value.

        Raises:
            DeviceError: the device did not answer or refused.

        """
        ...


@dataclass(frozen=True, slots=True)
class News:
    """What a device that reports by itself had to say."""

    readings: Sequence[Reading] = ()
    """New values, raw, with the device's own time where it gave one."""
    confirmed: Collection[str] = ()
    """Points whose last reading still holds: their subscription showed that it lives."""
    polled: Collection[str] | None = None
    """Points that the device does not report; the runtime polls them from now on. None: as before."""


@runtime_checkable
class Subscribable(Device, Protocol):
    """A device that reports changes by itself: COV, subscriptions, observe, MQTT."""

    def changes(self, points: Collection[str]) -> AsyncGenerator[News, None]:
        """Report news of these points for ever, beginning with their present values.

        What cannot be subscribed is named in :attr:`News.polled`; a point that the device refuses is
        a bad reading. The driver renews and mends subscriptions by itself and, where nothing
        changes, confirms points well within :meth:`DeviceSettings.promised_s`. Readings that the
        runtime is too slow to take are bounded: the oldest of a point give way to newer ones.

        Raises:
            DeviceError: the device is lost; the runtime opens it again after a back-off.

        """
        ...


@runtime_checkable
class Invocable(Protocol):
    """A device with methods (OPC UA)."""

    async def invoke(self, method: str, arguments: Sequence[Value]) -> Sequence[Value]:
        """Call a method that the device's settings name.

        Raises:
            DeviceError: the device did not answer or refused, or the arguments do not fit.

        """
        ...


@dataclass(frozen=True, slots=True)
class Inspection:
    """One point as it stands on the wire, beside its reading, for ``tidegate edge read --raw``."""

    reading: Reading
    """As :meth:`Device.read` gives it: raw."""
    shown: str
    """In the protocol's words: ``holding 40 to 41``, ``ns=2;s=Level (Double)``."""
    data: bytes = b""
    """The value's bytes in the order in which they came; empty where the protocol has none."""


@runtime_checkable
class Inspectable(Protocol):
    """A device that can show what lies beneath its readings."""

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Read these points once and show them as they came; one a point.

        Raises:
            DeviceError: the device as a whole did not answer or refused.

        """
        ...


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """One request that a device will be sent, for ``tidegate edge plan``."""

    label: str
    """In the protocol's words: ``unit 1: read holding registers 0 to 41``."""
    points: tuple[str, ...]
    bytes_out: int
    bytes_in: int
    seconds: float
    """Estimated time on the line, the device's own turnaround included."""


SettingsT = TypeVar("SettingsT", bound=DeviceSettings)


@dataclass(frozen=True, slots=True)
class Driver:
    """A protocol: its settings, how to open a device, and what reading it will cost."""

    protocol: str
    settings: type[DeviceSettings]
    open_device: Callable[[Any], AbstractAsyncContextManager[Device]]
    plan: Callable[[Any, Collection[str]], Sequence[RequestPlan]]
    """Pure: the requests for these points of a device."""
    address: Callable[[Any], str]
    """Where the device is, for people: ``10.0.0.7:502 unit 3``."""
    connection: Callable[[Any], str]
    """Devices with the same key share one line and are planned together."""
    discover: Discover | None = None
    """Look for devices; None where the protocol has no way to."""
