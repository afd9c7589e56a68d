"""What hearing an edge node costs, for ``tidegate edge plan``; pure."""

from collections.abc import Collection, Sequence

from components.mqtt.plan import ACKNOWLEDGE_BYTES, BYTES_PER_S, SUBSCRIBE_BYTES
from components.sparkplug.settings import Settings
from components.sparkplug.topic import node_filter
from edge_runtime.driver import RequestPlan


def describe(settings: Settings, points: Collection[str]) -> Sequence[RequestPlan]:
    """List the one subscription that serves all metrics of an edge node."""
    topic_filter = node_filter(settings.group_id, settings.edge_node_id)
    known = {point.name for point in settings.points}
    wanted = tuple(name for name in points if name in known)
    if not wanted:
        return []
    out = SUBSCRIBE_BYTES + len(topic_filter.encode())
    return [
        RequestPlan(
            label=f"subscribe to {topic_filter} with QoS {settings.qos}",
            points=wanted,
            bytes_out=out,
            bytes_in=ACKNOWLEDGE_BYTES,
            seconds=(out + ACKNOWLEDGE_BYTES) / BYTES_PER_S,
        )
    ]
