"""aiomqtt alone: one subscription, each message's number read."""

from collections.abc import Callable
from typing import Any

import aiomqtt


async def run(asked: dict[str, Any], hear: Callable[[str], None]) -> None:
    """Subscribe until cancelled."""
    async with aiomqtt.Client("127.0.0.1", asked["port"]) as client:
        await client.subscribe("bench/#")
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            float(message.payload)
            hear(message.topic.value)
