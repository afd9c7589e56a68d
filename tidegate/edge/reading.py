"""``tidegate edge read``: ask every device once, now, without touching the gateway's state."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from edge_runtime.clock import Clock
from edge_runtime.errors import DeviceError
from edge_runtime.model import Point, Quality, Reading, Value
from edge_runtime.normalise import Normaliser
from edge_runtime.polling import read_limits_s
from edge_runtime.rules.message import show_value
from edge_runtime.settings import ConfiguredDevice

NO_VALUE = "-"


class PointRead(msgspec.Struct, frozen=True):
    """One point as it was read."""

    point: str
    value: Value | None
    shown: str
    """The value for people: rounded, or its label."""
    unit: str
    quality: str
    reason: str


class DeviceRead(msgspec.Struct, frozen=True):
    """One device as it answered."""

    device: str
    address: str
    duration_s: float
    points: list[PointRead]
    error: str = ""


async def read_devices(devices: Sequence[ConfiguredDevice], clock: Clock) -> list[DeviceRead]:
    """Read devices once, all at the same time as far as their lines allow."""
    limits = zip(devices, read_limits_s(devices), strict=True)
    return list(await asyncio.gather(*(_read_device(d, limit, clock) for d, limit in limits)))


async def _read_device(device: ConfiguredDevice, limit_s: float, clock: Clock) -> DeviceRead:
    settings, start = device.settings, time.perf_counter()
    address = device.driver.address(settings)
    try:
        async with (
            asyncio.timeout(limit_s),
            device.driver.open_device(settings) as opened,
        ):
            raw = await opened.read([point.name for point in settings.points])
    except (DeviceError, TimeoutError) as exc:
        took = time.perf_counter() - start
        return DeviceRead(settings.name, address, took, [], str(exc) or "no answer in time")
    took = time.perf_counter() - start
    normalised = Normaliser(settings).take(raw, clock.wall_us(), clock.monotonic())
    by_key = {f"{settings.name}/{point.name}": point for point in settings.points}
    found = {r.point: _point_read(by_key[r.point], r) for r in normalised.readings}
    return DeviceRead(settings.name, address, took, [found[key] for key in by_key if key in found])


def _point_read(point: Point, reading: Reading) -> PointRead:
    labels = {str(number): label for number, label in point.labels.items()}
    value = reading.value
    shown = NO_VALUE if value is None else show_value(value, point.decimals, labels)
    quality = Quality(reading.quality).name.lower()
    return PointRead(point.name, value, shown, point.unit, quality, str(reading.reason))
