"""Topics of Sparkplug B: ``spBv1.0/group/type/edge node/device``; pure."""

import re
from enum import StrEnum
from typing import NamedTuple

NAMESPACE = "spBv1.0"
ID = r"^[^/+#\x00-\x1f]+$"
"""Of groups, edge nodes and devices: one level of a topic."""
NODE_LEVELS, DEVICE_LEVELS = 4, 5
_ID = re.compile(ID)


class Kind(StrEnum):
    """Types of messages (Sparkplug 3.0, 4.2)."""

    NBIRTH = "NBIRTH"
    NDEATH = "NDEATH"
    NDATA = "NDATA"
    NCMD = "NCMD"
    DBIRTH = "DBIRTH"
    DDEATH = "DDEATH"
    DDATA = "DDATA"
    DCMD = "DCMD"

    @property
    def is_of_device(self) -> bool:
        """Whether the topic names a device."""
        return self.value[0] == "D"


_KINDS = {kind.value: kind for kind in Kind}


class SparkplugTopic(NamedTuple):
    """A topic in its parts."""

    group: str
    kind: Kind
    node: str
    device: str = ""

    def __str__(self) -> str:
        """Write it as on the wire."""
        parts = [NAMESPACE, self.group, self.kind.value, self.node]
        return "/".join([*parts, self.device] if self.device else parts)


def parse_topic(topic: str) -> SparkplugTopic | None:
    """Take a topic apart; None for one that is none of Sparkplug's."""
    levels = topic.split("/")
    if not NODE_LEVELS <= len(levels) <= DEVICE_LEVELS or levels[0] != NAMESPACE:
        return None
    kind = _KINDS.get(levels[2])
    if kind is None or kind.is_of_device != (len(levels) == DEVICE_LEVELS):
        return None
    if not all(_ID.fullmatch(level) for level in (levels[1], *levels[3:])):
        return None
    return SparkplugTopic(
        levels[1], kind, levels[3], levels[4] if len(levels) > NODE_LEVELS else ""
    )


def node_filter(group: str, node: str) -> str:
    """Give the filter for everything that an edge node and its devices say."""
    return f"{NAMESPACE}/{group}/+/{node}/#"
