"""What a device taught us: addresses that it refuses, and places where a request must be parted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from components.modbus.plan import Holes, Request, request_over
from components.modbus.settings import AddressRange, Point, Table
from edge_runtime.model import Reason

RETRY_S = 60.0
"""A refused point is asked for again, alone, after this time: the device may have changed."""


@dataclass(slots=True)
class Learned:
    """Grows while a device is read, and is forgotten when it is closed."""

    declared: tuple[AddressRange, ...] = ()
    _refused: dict[AddressRange, tuple[float, str]] = field(default_factory=dict)
    _walls: set[tuple[Table, int]] = field(default_factory=set)
    version: int = 0
    """Changes whenever plans must be made anew."""

    @property
    def holes(self) -> Holes:
        """What a request may not touch."""
        return Holes((*self.declared, *self._refused), frozenset(self._walls))

    def refuse(self, points: Iterable[Point], detail: str, now: float) -> None:
        """Learn that these points cannot be read."""
        for point in points:
            self.version += _range_of(point) not in self._refused
            self._refused[_range_of(point)] = (now, detail)

    def part(self, table: Table, address: int) -> None:
        """Learn that a request may not reach over this address, though both sides can be read."""
        self._walls.add((table, address))
        self.version += 1

    def reason_of(self, point: Point) -> str:
        """Give the reason of a reading of this point if it is refused, else nothing."""
        known = self._refused.get(_range_of(point))
        return f"{Reason.DEVICE_ERROR}:{known[1]}" if known else ""

    def accept(self, points: Iterable[Point]) -> None:
        """Learn that these points can be read after all."""
        for point in points:
            if self._refused.pop(_range_of(point), None):
                self.version += 1

    def retry(self, points: Sequence[Point], now: float) -> list[Point]:
        """Pick the points of one refused address that may be asked for again."""
        for point in points:
            place = _range_of(point)
            if place in self._refused and self._refused[place][0] <= now - RETRY_S:
                return [other for other in points if _range_of(other) == place]
        return []


def halves(request: Request) -> tuple[Request, Request] | None:
    """Part a request between two points near its middle; None when it holds only one address."""
    starts = sorted({point.address for point in request.points})
    if len(starts) == 1:
        return None
    middle = starts[len(starts) // 2]
    low = [point for point in request.points if point.address < middle]
    high = [point for point in request.points if point.address >= middle]
    return _part(request, low), _part(request, high)


def _part(request: Request, points: Sequence[Point]) -> Request:
    return request_over(request.unit, request.table, points)


def _range_of(point: Point) -> AddressRange:
    return AddressRange(table=point.table, first=point.address, last=point.end - 1)
