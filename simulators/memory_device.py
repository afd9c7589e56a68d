"""A device in memory behind the driver contract: values by script, silence and errors on demand.

It stands for any protocol where a test is about the runtime and not about the wire.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.driver import Device, DeviceSettings, Driver, Inspection, News, RequestPlan
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError, SettingsError
from edge_runtime.model import Quality, Reading, Reason, Value


class MemorySettings(DeviceSettings):
    """Settings of a device in memory; ``place`` is its address."""

    place: str = "here"


@dataclass(slots=True)
class MemoryPlace:
    """What stands at one address. A test changes it while the runtime reads."""

    values: dict[str, Value] = field(default_factory=dict)
    """Raw values; a point without one is answered as bad."""
    reachable: bool = True
    refuses: bool = False
    hangs: bool = False
    """Accepts and never answers."""
    broken: Exception | None = None
    """What a faulty driver would raise."""
    opened: int = 0
    closed: int = 0
    reads: list[tuple[str, ...]] = field(default_factory=list)
    data: dict[str, bytes] = field(default_factory=dict)
    """The bytes beneath a value, as they come."""
    found: Found | None = None
    """What a scan of this address finds."""
    written: list[tuple[str, Value]] = field(default_factory=list)
    slow_reads: int = 0
    """Reads after a write that still give the old value."""
    deaf: bool = False
    """Accepts what is written and does nothing with it."""
    news: asyncio.Queue[News] = field(default_factory=asyncio.Queue)
    """What a device that reports by itself says next."""


class MemoryDevices:
    """A set of places and the driver that reaches them."""

    def __init__(self) -> None:
        self.places: dict[str, MemoryPlace] = {}

    def place(self, name: str = "here") -> MemoryPlace:
        """Give the device at an address; made when first asked for."""
        return self.places.setdefault(name, MemoryPlace())

    def driver(self, *, reports: bool = False) -> Driver:
        """Give the driver of the protocol ``memory``; its devices may report by themselves."""
        return Driver(
            protocol="memory",
            settings=MemorySettings,
            open_device=self._open_reporting if reports else self._open,
            plan=plan,
            address=lambda settings: settings.place,
            connection=lambda settings: settings.place,
            discover=self._discover,
        )

    async def _discover(self, target: ScanTarget) -> AsyncIterator[Progress | Found]:
        """Look at each named address with one request."""
        if not target.targets:
            msg = "a scan of memory needs the names of places"
            raise SettingsError(msg)
        for number, name in enumerate(target.targets):
            if number == target.max_requests:
                return
            yield Progress(number, len(target.targets), name, number + 1)
            place = self.places.get(name)
            if place is not None and place.reachable and place.found is not None:
                yield place.found

    @asynccontextmanager
    async def _open(self, settings: MemorySettings) -> AsyncIterator[Device]:
        place = self.place(settings.place)
        if not place.reachable:
            msg = f"nothing at '{settings.place}'"
            raise DeviceUnreachableError(msg)
        place.opened += 1
        try:
            yield _MemoryDevice(place)
        finally:
            place.closed += 1

    @asynccontextmanager
    async def _open_reporting(self, settings: MemorySettings) -> AsyncIterator[Device]:
        async with self._open(settings):
            yield _ReportingDevice(self.place(settings.place))


class _MemoryDevice:
    def __init__(self, place: MemoryPlace) -> None:
        self._place = place

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Answer from the script."""
        place = self._place
        place.reads.append(tuple(points))
        if place.broken is not None:
            raise place.broken
        if place.hangs:
            await asyncio.get_running_loop().create_future()
        if not place.reachable:
            raise DeviceUnreachableError
        if place.refuses:
            raise DeviceRefusedError
        return [
            Reading(name, place.values[name])
            if name in place.values
            else Reading(name, None, Quality.BAD, Reason.CONFIGURATION)
            for name in points
        ]

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Answer from the script, with the bytes beneath."""
        readings = await self.read(points)
        return [
            Inspection(r, f"cell {r.point}", self._place.data.get(r.point, b"")) for r in readings
        ]


class WritableDevice(_MemoryDevice):
    """A device in memory that takes values, at once or late, or only seems to."""

    def __init__(self, place: MemoryPlace) -> None:
        super().__init__(place)
        self._late: list[tuple[int, str, Value]] = []

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Answer from the script; what was written shows after so many reads."""
        self._late = [(reads - 1, point, value) for reads, point, value in self._late]
        for reads, point, value in self._late:
            if reads < 0:
                self._place.values[point] = value
        return await super().read(points)

    async def write(self, point: str, value: Value) -> None:
        """Take a value."""
        if self._place.refuses:
            raise DeviceRefusedError
        self._place.written.append((point, value))
        if not self._place.deaf:
            self._late.append((self._place.slow_reads, point, value))


class _ReportingDevice(_MemoryDevice):
    async def changes(self, points: Collection[str]) -> AsyncGenerator[News, None]:
        """Give what the test put into :attr:`MemoryPlace.news`."""
        while self._place.reachable:
            news = await self._place.news.get()
            readings = [reading for reading in news.readings if reading.point in points]
            yield News(readings, news.confirmed, news.polled)
        raise DeviceUnreachableError


def plan(settings: MemorySettings, points: Collection[str]) -> Sequence[RequestPlan]:
    """One request for all points, a millisecond on the line."""
    return [RequestPlan(f"read {len(points)} at {settings.place}", tuple(points), 8, 8, 0.001)]
