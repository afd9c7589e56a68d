"""Work that ends together: the first part that ends, or fails, ends the others."""

import asyncio
from collections.abc import Coroutine


async def first_to_end(*parts: Coroutine[None, None, None]) -> None:
    """Run parts side by side until one ends; raises what that one raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
