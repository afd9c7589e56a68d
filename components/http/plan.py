"""Which resources must be asked for which points. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from components.http.settings import Point, Settings
from edge_runtime.driver import RequestPlan

HEAD_BYTES = 250
"""About what the head of a request or an answer takes."""
VALUE_BYTES = 40
"""About what a value with its name takes."""
ESTIMATED_S = 0.02
"""About what a small device takes for an answer."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One request, and the points that lie in its answer."""

    method: str
    path: str
    body: bytes | None
    points: tuple[Point, ...]

    @property
    def label(self) -> str:
        """In the protocol's words."""
        return f"{self.method} {self.path}"


def plan_requests(settings: Settings, names: Collection[str]) -> tuple[Asking, ...]:
    """Give the fewest requests: one a resource, in the order of the points."""
    by_path: dict[str, list[Point]] = {}
    for point in settings.points:
        if point.name in names:
            by_path.setdefault(point.path or settings.path, []).append(point)
    return tuple(
        Asking(
            "POST" if path in settings.post else "GET",
            path,
            msgspec.json.encode(settings.post[path]) if path in settings.post else None,
            tuple(points),
        )
        for path, points in by_path.items()
    )


def describe(settings: Settings, names: Collection[str]) -> Sequence[RequestPlan]:
    """Give the requests of a polled device, or the one message that a posting one sends."""
    if settings.listen is not None:
        size = HEAD_BYTES + VALUE_BYTES * len(names)
        label = f"POST /push/{settings.name} (by the device)"
        points = tuple(point.name for point in settings.points if point.name in names)
        return [RequestPlan(label, points, HEAD_BYTES, size, ESTIMATED_S)] if points else []
    return [
        RequestPlan(
            asking.label,
            tuple(point.name for point in asking.points),
            HEAD_BYTES + len(asking.path) + len(asking.body or b""),
            HEAD_BYTES + VALUE_BYTES * len(asking.points),
            ESTIMATED_S,
        )
        for asking in plan_requests(settings, names)
    ]
