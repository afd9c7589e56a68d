"""asyncua alone: one subscription with every node, a handler that notes what changed."""

import asyncio
from collections.abc import Callable
from typing import Any

from asyncua import Client, Node, ua

A_CALL = 1_000


class _Handler:
    def __init__(self, hear: Callable[[str], None]) -> None:
        self._hear = hear

    def datachange_notification(self, node: Node, _val: Any, _data: Any) -> None:
        self._hear(node.nodeid.Identifier)


async def run(asked: dict[str, Any], hear: Callable[[str], None]) -> None:
    """Subscribe until cancelled."""
    async with Client(asked["endpoint"], timeout=30, watchdog_intervall=30) as client:
        subscription = await client.create_subscription(1_000, _Handler(hear))
        nodes = [
            client.get_node(ua.NodeId(f"v{i}", asked["namespace"])) for i in range(asked["points"])
        ]
        for first in range(0, len(nodes), A_CALL):
            await subscription.subscribe_data_change(nodes[first : first + A_CALL])
        await asyncio.Event().wait()
