"""Goes from unit to unit for those who look for devices, within a bound of requests."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from components.modbus.line import Line, shared_line
from components.modbus.targets import Probed, Spot, Way, probed, spots_of
from edge_runtime.discovery import Progress, ScanTarget
from edge_runtime.errors import DeviceUnreachableError

CONNECTS_AT_ONCE = 32


class SpentError(Exception):
    """The scan has sent as many requests as it may."""


@dataclass
class Budget:
    """Counts requests; a connection that is tried counts as one."""

    most: int
    pause_s: float = 0.0
    spent: int = 0

    async def take(self, requests: int = 1) -> None:
        """Take what the next step needs, after a rest.

        Raises:
            SpentError: that is too much.

        """
        if self.spent + requests > self.most:
            raise SpentError
        if self.pause_s and self.spent:
            await asyncio.sleep(self.pause_s)
        self.spent += requests


@dataclass
class Visit:
    """One unit that may be there."""

    line: Line
    way: Way
    settings: Probed
    budget: Budget
    present: bool = field(default=False)
    """Set by the visitor: something answered."""
    lost: str = ""
    """Set by the visitor: why there is no line to anybody."""


@dataclass
class Tour:
    """The way through all units, with how far it is."""

    scan: ScanTarget
    spots: list[Spot]
    budget: Budget
    done: int = 0

    @property
    def total(self) -> int:
        """Steps altogether."""
        return sum(len(spot.ways) * len(spot.units) for spot in self.spots)

    def progress(self, doing: str) -> Progress:
        """Say how far it is."""
        return Progress(self.done, self.total, doing, self.budget.spent)

    async def visits(self) -> AsyncGenerator[Progress | Visit, None]:
        """Give every unit to visit; the visitor may raise :class:`SpentError` by its budget."""
        async with aclosing(self._reachable()) as spots:
            async for spot in spots:
                until = self.done + len(spot.ways) * len(spot.units)
                found = False
                for way in spot.ways:
                    async with aclosing(self._way(way, spot.units)) as items:
                        async for item in items:
                            yield item
                            found = found or (isinstance(item, Visit) and item.present)
                    if found:
                        break  # a serial line has one speed
                self.done = until

    async def _way(
        self, way: Way, units: tuple[int, ...]
    ) -> AsyncGenerator[Progress | Visit, None]:
        settings = probed(way, units[0], self.scan.timeout_s)
        try:
            async with shared_line(settings.place, settings.unit) as line:
                for unit in units:
                    settings = probed(way, unit, self.scan.timeout_s)
                    yield self.progress(f"{way.name} unit {unit}")
                    visit = Visit(line, way, settings, self.budget)
                    yield visit
                    if visit.lost:
                        yield self.progress(visit.lost)
                        return
                    self.done += 1
        except DeviceUnreachableError as exc:
            yield self.progress(in_words(exc))

    async def _reachable(self) -> AsyncGenerator[Spot, None]:
        """Leave out hosts of a network that do not let us connect: most have nothing to say."""
        if len(self.spots) == 1:
            yield self.spots[0]
            return
        for start in range(0, len(self.spots), CONNECTS_AT_ONCE):
            spots = self.spots[start : start + CONNECTS_AT_ONCE]
            open_ = await asyncio.gather(*(self._connects(spot) for spot in spots))
            for spot, listens in zip(spots, open_, strict=True):
                if listens:
                    yield spot
                else:
                    self.done += len(spot.ways) * len(spot.units)

    async def _connects(self, spot: Spot) -> bool:
        fields = spot.ways[0].fields
        if "host" not in fields:
            return True
        await self.budget.take()
        with suppress(OSError, UnicodeError):
            async with asyncio.timeout(self.scan.timeout_s):
                _, writer = await asyncio.open_connection(fields["host"], fields["port"])
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            return True
        return False


def in_words(exc: DeviceUnreachableError) -> str:
    """Say what is wrong and what to do."""
    return f"{exc}. {exc.hint}"


def tour_of(scan: ScanTarget) -> Tour:
    """Plan a tour.

    Raises:
        SettingsError: a target or option cannot be understood.

    """
    return Tour(scan, spots_of(scan), Budget(scan.max_requests, scan.pause_s))
