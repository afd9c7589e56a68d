"""``tidegate edge read``: ask devices once, now, without touching the gateway's state."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from edge_runtime.clock import Clock
from edge_runtime.driver import Inspectable, Inspection
from edge_runtime.errors import DeviceError, DeviceUnreachableError
from edge_runtime.model import Access, Point, Quality, Reading, Value
from edge_runtime.normalise import Normaliser
from edge_runtime.polling import read_limits_s
from edge_runtime.rules.message import show_value
from edge_runtime.settings import ConfiguredDevice
from tidegate.edge.byte_orders import Number, in_every_order
from tidegate.edge.foreign_text import harmless, show_bytes

NO_VALUE = "-"
MAX_BYTES = 4_096
"""Most bytes of one point that are given to a program."""


class PointRead(msgspec.Struct, frozen=True):
    """One point as it was read."""

    point: str
    value: Value | None
    shown: str
    """The value for people: rounded, or its label."""
    unit: str
    quality: str
    reason: str
    age_s: float | None = None
    """By the device's own time; None where it gives none."""


class Beneath(msgspec.Struct, frozen=True):
    """What lies beneath a reading."""

    shown: str
    """Where it came from, in the protocol's words."""
    data: str
    """The bytes as they came, in hex; the first 4,096; empty where the protocol has none."""
    bytes_shown: str
    """The same for people: as text where they are text, and shortened."""
    type: str
    raw: Value | None
    """What the driver made of it, neither scaled nor labelled."""
    orders: dict[str, Number | None]
    """What the bytes mean in each order; empty where they are no number."""


class RawPoint(msgspec.Struct, frozen=True):
    """One point with what lies beneath it."""

    read: PointRead
    beneath: Beneath


class DeviceRead(msgspec.Struct, frozen=True):
    """One device as it answered."""

    device: str
    address: str
    duration_s: float
    points: list[PointRead]
    error: str = ""


class RawDevice(msgspec.Struct, frozen=True):
    """One device as it answered, with what lies beneath."""

    device: str
    address: str
    duration_s: float
    points: list[RawPoint]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One point of one read: normalised, and as it came."""

    point: Point
    read: PointRead
    inspection: Inspection


async def read_devices(devices: Sequence[ConfiguredDevice], clock: Clock) -> list[DeviceRead]:
    """Read devices once, all at the same time as far as their lines allow."""
    found = await inspect_devices(devices, clock, beneath=False)
    return [without_beneath(device) for device in found]


def without_beneath(device: RawDevice) -> DeviceRead:
    """Leave out what lies beneath."""
    points = [point.read for point in device.points]
    return DeviceRead(device.device, device.address, device.duration_s, points, device.error)


async def inspect_devices(
    devices: Sequence[ConfiguredDevice],
    clock: Clock,
    points: Collection[str] = (),
    *,
    beneath: bool = True,
) -> list[RawDevice]:
    """Read devices once, with what lies ``beneath``; only these points where some are named.

    A device that has none of the named points is left out.
    """
    asked = [d for d in devices if not points or {p.name for p in d.settings.points} & {*points}]
    looks = await _look_at_all(asked, points, clock, beneath=beneath)
    return [
        RawDevice(
            d.settings.name,
            d.driver.address(d.settings),
            took,
            [RawPoint(s.read, lies_beneath(s)) for s in seen],
            err,
        )
        for d, (took, seen, err) in zip(asked, looks, strict=True)
    ]


async def look_at(
    device: ConfiguredDevice,
    points: Collection[str],
    clock: Clock,
    *,
    beneath: bool = True,
    limit_s: float | None = None,
) -> list[Seen]:
    """Read some points of a device once, or all that can be read; in the order of its settings.

    A point that is scaled by another one is read together with it.

    Raises:
        DeviceError: the device did not answer or refused.

    """
    settings = device.settings
    chosen = [
        p
        for p in settings.points
        if p.name in points or (not points and p.access is not Access.WRITE)
    ]
    scaling = {p.scale_point for p in chosen} - {None}
    names = [p.name for p in settings.points if p in chosen or p.name in scaling]
    limit = read_limits_s([device])[0] if limit_s is None else limit_s
    try:
        async with asyncio.timeout(limit), device.driver.open_device(settings) as opened:
            if beneath and isinstance(opened, Inspectable):
                inspected = await opened.inspect(names)
            else:
                inspected = [Inspection(r, "") for r in await opened.read(names)]
    except TimeoutError as exc:
        msg = "no answer in time"
        raise DeviceUnreachableError(msg) from exc
    return normalise(device, chosen, inspected, clock)


def normalise(
    device: ConfiguredDevice, points: Sequence[Point], found: Sequence[Inspection], clock: Clock
) -> list[Seen]:
    """Turn what a driver gave into what people see."""
    by_name = {inspection.reading.point: inspection for inspection in found}
    known = [
        i.reading for i in found if i.reading.point in {p.name for p in device.settings.points}
    ]
    taken = Normaliser(device.settings).take(known, clock.wall_us(), clock.monotonic())
    readings = {reading.point: reading for reading in taken.readings}
    return [
        Seen(point, _point_read(point, readings[key], clock.wall_us()), by_name[point.name])
        for point in points
        if (key := f"{device.settings.name}/{point.name}") in readings
    ]


def lies_beneath(seen: Seen) -> Beneath:
    """Show what lies beneath a reading."""
    inspection = seen.inspection
    value = inspection.reading.value
    kind = "" if isinstance(value, bool) else str(getattr(seen.point, "register_type", ""))
    return Beneath(
        shown=inspection.shown,
        data=inspection.data[:MAX_BYTES].hex(" "),
        bytes_shown=show_bytes(inspection.data, kind),
        type=kind,
        raw=value,
        orders=in_every_order(inspection.data, kind),
    )


_Look = tuple[float, list[Seen], str]
"""Seconds it took, what was seen, and what went wrong."""


async def _look_at_all(
    devices: Sequence[ConfiguredDevice], points: Collection[str], clock: Clock, *, beneath: bool
) -> list[_Look]:
    async def look(device: ConfiguredDevice, limit_s: float) -> _Look:
        start = time.perf_counter()
        try:
            seen = await look_at(device, points, clock, beneath=beneath, limit_s=limit_s)
        except DeviceError as exc:
            return time.perf_counter() - start, [], harmless(str(exc)) or "no answer in time"
        return time.perf_counter() - start, seen, ""

    limits = zip(devices, read_limits_s(devices), strict=True)
    return list(await asyncio.gather(*(look(device, limit_s) for device, limit_s in limits)))


def _point_read(point: Point, reading: Reading, now_us: int) -> PointRead:
    labels = {str(number): label for number, label in point.labels.items()}
    value = reading.value
    return PointRead(
        point=point.name,
        value=value,
        shown=NO_VALUE if value is None else harmless(show_value(value, point.decimals, labels)),
        unit=point.unit,
        quality=Quality(reading.quality).name.lower(),
        reason=str(reading.reason),
        age_s=None if reading.source_us is None else (now_us - reading.source_us) / 1_000_000,
    )
