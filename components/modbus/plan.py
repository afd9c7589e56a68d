"""Which requests to send for which points; pure.

Points are sorted by address and taken into one request as long as it stays within the limit of the
device, the way to the next point is short enough to be read along, and nothing unreadable lies on
it. Taken from left to right this gives the fewest requests that keep those rules.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from components.modbus import limits
from components.modbus.line_settings import Framing, LineSettings
from components.modbus.settings import AddressRange, Point, Settings, Table
from edge_runtime.driver import RequestPlan

ETHERNET_BYTES_PER_S = 12_500_000
"""100 Mbit/s."""


@dataclass(frozen=True, slots=True)
class Request:
    """One read: ``count`` addresses of a table from ``first`` on, and the points in them."""

    unit: int
    table: Table
    first: int
    count: int
    points: tuple[Point, ...]
    """Sorted by address."""

    @property
    def start(self) -> tuple[Table, int]:
        """Where it begins."""
        return self.table, self.first

    @property
    def label(self) -> str:
        """In the protocol's words."""
        last = f" to {self.first + self.count - 1}" if self.count > 1 else ""
        return f"unit {self.unit}: read {self.table.plural} {self.first}{last}"

    def __str__(self) -> str:
        return self.label

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the points."""
        return tuple(point.name for point in self.points)

    @property
    def data_bytes(self) -> int:
        """Bytes of data that the answer must have."""
        return (self.count + 7) // 8 if self.table.is_bits else 2 * self.count


@dataclass(frozen=True, slots=True)
class Holes:
    """What a request may not touch, and where it may not pass."""

    unreadable: tuple[AddressRange, ...] = ()
    walls: frozenset[tuple[Table, int]] = frozenset()
    """A request that holds a point below this address may not hold one at or above it."""

    def part(self, table: Table, low: int, end: int, high: int) -> bool:
        """Tell whether points at ``low`` (its request ends at ``end``) and ``high`` are parted."""
        return any(
            hole.table is table and hole.first < high and end <= hole.last
            for hole in self.unreadable
        ) or any(wall[0] is table and low < wall[1] <= high for wall in self.walls)


def plan_requests(
    settings: Settings, points: Iterable[Point], holes: Holes | None = None
) -> list[Request]:
    """Plan the fewest requests that read these points of a device."""
    holes = Holes(settings.unreadable) if holes is None else holes
    tables: dict[Table, list[Point]] = {}
    for point in points:
        tables.setdefault(point.table, []).append(point)
    return [
        request_over(settings.unit, table, run)
        for table in sorted(tables)
        for run in _runs(settings, table, tables[table], holes)
    ]


def _runs(
    settings: Settings, table: Table, points: list[Point], holes: Holes
) -> Iterable[list[Point]]:
    most = settings.max_coils if table.is_bits else settings.max_registers
    bridge = bridgeable(settings, table)
    run: list[Point] = []
    end = 0
    for point in sorted(points, key=lambda p: (p.address, p.end)):
        if run and (
            point.address - end > bridge
            or max(end, point.end) - run[0].address > most
            or holes.part(table, run[-1].address, end, point.address)
        ):
            yield run
            run, end = [], 0
        run.append(point)
        end = max(end, point.end)
    if run:
        yield run


def request_over(unit: int, table: Table, points: Sequence[Point]) -> Request:
    """Make the request that spans these points, sorted by address."""
    first = points[0].address
    return Request(unit, table, first, max(point.end for point in points) - first, tuple(points))


# --- what it costs ------------------------------------------------------------------------------


def bridgeable(settings: Settings, table: Table) -> int:
    """Longest run of unwanted addresses that is cheaper to read along than to ask twice."""
    apart = request_seconds(settings, 0)
    address = (1 / 8 if table.is_bits else 2) * byte_seconds(settings)
    return min(settings.max_gap, int(apart / address))


def byte_seconds(settings: LineSettings) -> float:
    """Time of a byte on the slowest part of the way to the device."""
    return settings.byte_seconds or 1 / ETHERNET_BYTES_PER_S


def line_seconds(settings: LineSettings, data_bytes: int) -> float:
    """Time that a read and its answer are on the line, without the device's turnaround."""
    size = limits.READ_REQUEST_BYTES + limits.READ_ANSWER_BYTES + data_bytes
    if settings.byte_seconds is not None:
        size += 2 * (limits.SERIAL_FRAMING_BYTES - limits.MBAP_BYTES)
    return size * byte_seconds(settings) + 2 * settings.silence_s


def wait_seconds(settings: LineSettings, data_bytes: int) -> float:
    """Longest wait for the answer to a read: a slow line's own time is no delay of the device."""
    extra = 0.0 if settings.byte_seconds is None else line_seconds(settings, data_bytes)
    return settings.timeout_s + extra


def request_seconds(settings: LineSettings, data_bytes: int) -> float:
    """Time that one read takes from the others on the line."""
    pause_s = settings.serial.pause_s if settings.serial is not None else 0.0
    return settings.turnaround_s + pause_s + line_seconds(settings, data_bytes)


def describe(
    settings: Settings, names: Collection[str], holes: Holes | None = None
) -> list[RequestPlan]:
    """Describe the requests for these points, for ``tidegate edge plan``."""
    wanted = set(names)
    points = [point for point in settings.points if point.name in wanted]
    rtu = settings.place.framing is Framing.RTU
    saved = limits.MBAP_BYTES - limits.SERIAL_FRAMING_BYTES if rtu else 0
    return [
        RequestPlan(
            label=request.label,
            points=request.names,
            bytes_out=limits.READ_REQUEST_BYTES - saved,
            bytes_in=limits.READ_ANSWER_BYTES - saved + request.data_bytes,
            seconds=request_seconds(settings, request.data_bytes),
        )
        for request in plan_requests(settings, points, holes)
    ]
