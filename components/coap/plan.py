"""Which requests reading a device costs; pure."""

from collections.abc import Collection

from components.coap.settings import Settings
from edge_runtime.driver import RequestPlan

HEADER_BYTES = 4 + 2
"""Header and a token of two bytes (RFC 7252 3)."""
UDP_BYTES = 28
"""IPv4 and UDP."""
ANSWER_BYTES = 40
"""Options and a short value."""
TURNAROUND_S = 0.05
"""Of a constrained device on a quiet network; an estimate."""


def describe(settings: Settings, points: Collection[str]) -> list[RequestPlan]:
    """List the requests for these points: one a resource; a device that posts costs none of ours."""
    if settings.listen:
        label = f"heard at {settings.at}"
        return [RequestPlan(label, tuple(points), 0, UDP_BYTES + ANSWER_BYTES, TURNAROUND_S)]
    paths = {point.name: point.path for point in settings.points}
    resources: dict[str, list[str]] = {}
    for name in points:
        resources.setdefault(paths[name], []).append(name)
    return [
        RequestPlan(
            f"GET coap://{settings.at}{path}",
            tuple(names),
            UDP_BYTES + HEADER_BYTES + len(path.encode()),
            UDP_BYTES + HEADER_BYTES + ANSWER_BYTES,
            TURNAROUND_S,
        )
        for path, names in resources.items()
    ]
