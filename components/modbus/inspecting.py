"""Points as they stand in the registers, beside their readings: for ``tidegate edge read --raw``."""

from collections.abc import Mapping, Sequence

from components.modbus.plan import Request
from components.modbus.reading import Fetched
from components.modbus.settings import Point
from edge_runtime.driver import Inspection
from edge_runtime.model import Reading


def inspections(
    readings: Sequence[Reading], points: Mapping[str, Point], fetched: Sequence[Fetched]
) -> list[Inspection]:
    """Lay each reading beside the bytes it was made of; a refused point has none."""
    data = {
        point.name: cut(point, request, answer)
        for request, answer in fetched
        for point in request.points
    }
    return [
        Inspection(reading, place_of(points[reading.point]), data.get(reading.point, b""))
        for reading in readings
    ]


def place_of(point: Point) -> str:
    """Say where a point lies: ``holding 40 to 41``."""
    last = f" to {point.end - 1}" if point.size > 1 else ""
    bit = f" bit {point.bit}" if point.bit is not None else ""
    return f"{point.table} {point.address}{last}{bit}"


def cut(point: Point, request: Request, answer: bytes) -> bytes:
    """Cut a point's bytes out of an answer, as they came; one byte, 0 or 1, for a bit."""
    offset = point.address - request.first
    if point.table.is_bits:
        return bytes([answer[offset // 8] >> offset % 8 & 1])
    return answer[2 * offset : 2 * (offset + point.size)]
