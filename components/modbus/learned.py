"""What a device taught us: addresses that it refuses, and places where a request must be parted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from components.modbus.plan import Holes, Request
from components.modbus.settings import AddressRange, Point, Table

RETRY_S = 600.0
"""A refused point is asked for again after this time: the device may have been set up meanwhile."""


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
            self._refused[_range_of(point)] = (now, detail)
        self.version += 1

    def part(self, table: Table, address: int) -> None:
        """Learn that a request may not reach over this address, though both sides can be read."""
        self._walls.add((table, address))
        self.version += 1

    def refusal_of(self, point: Point) -> str | None:
        """Give what the device said when it refused this point, if it did."""
        known = self._refused.get(_range_of(point))
        return known[1] if known else None

    def forget(self, *, before: float) -> None:
        """Forget refusals from before this time, so that they are asked for again."""
        old = [key for key, (time, _) in self._refused.items() if time < before]
        for key in old:
            del self._refused[key]
        self.version += bool(old)


def halves(request: Request, unit: int) -> tuple[Request, Request] | None:
    """Part a request between two points near its middle; None when it holds only one address."""
    starts = sorted({point.address for point in request.points})
    if len(starts) == 1:
        return None
    middle = starts[len(starts) // 2]
    low = [point for point in request.points if point.address < middle]
    high = [point for point in request.points if point.address >= middle]
    return _over(request, unit, low), _over(request, unit, high)


def _over(request: Request, unit: int, points: Sequence[Point]) -> Request:
    first = points[0].address
    count = max(point.end for point in points) - first
    return Request(unit, request.table, first, count, tuple(points))


def _range_of(point: Point) -> AddressRange:
    return AddressRange(table=point.table, first=point.address, last=point.end - 1)
