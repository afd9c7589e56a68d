"""What hearing a device costs, for ``tidegate edge plan``; pure."""

from collections.abc import Collection, Sequence

from components.mqtt.settings import Settings
from edge_runtime.driver import RequestPlan

SUBSCRIBE_BYTES = 7
"""Fixed header, packet id, length of the filter and its options (3.1.1 3.8)."""
ACKNOWLEDGE_BYTES = 5
"""SUBACK for one filter (3.1.1 3.9)."""
BYTES_PER_S = 1_250_000
"""10 Mbit/s: what even a poor network to a broker carries."""


def describe(settings: Settings, points: Collection[str]) -> Sequence[RequestPlan]:
    """List the subscriptions that these points need; a broker is asked once and reports then."""
    wanted = frozenset(points)
    by_filter: dict[str, list[str]] = {}
    for point in settings.points:
        if point.name in wanted:
            by_filter.setdefault(settings.topic_of(point.topic), []).append(point.name)
    return [
        RequestPlan(
            label=f"subscribe to {topic_filter} with QoS {settings.qos}",
            points=tuple(names),
            bytes_out=(out := SUBSCRIBE_BYTES + len(topic_filter.encode())),
            bytes_in=ACKNOWLEDGE_BYTES,
            seconds=(out + ACKNOWLEDGE_BYTES) / BYTES_PER_S,
        )
        for topic_filter, names in by_filter.items()
    ]
