"""The agent's process: components that talk to the cloud, given by whoever starts it."""

import asyncio
from collections.abc import Sequence

from edge_runtime.host.context import Component, Context


async def run_agent(context: Context, components: Sequence[Component]) -> None:
    """Run components until cancelled; when one fails, all end and the supervisor starts anew."""

    async def run(component: Component) -> None:
        await component(context)

    async with asyncio.TaskGroup() as group:
        for component in components:
            group.create_task(run(component))
