"""What telemetry needs for as long as the process runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from cloud_api.telemetry.clocks.repairing import keep_repairing
from cloud_api.telemetry.ingest import Ingest
from cloud_api.telemetry.merging.merger import keep_merging
from cloud_api.telemetry.partitions import keep_partitions


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the ingest; other domains add their handlers to it."""
    app.state.ingest = Ingest(app.state.database)
    chores = [
        asyncio.create_task(chore(app.state.database))
        for chore in (keep_partitions, keep_merging, keep_repairing)
    ]
    yield
    for task in chores:
        task.cancel()
    await asyncio.wait(chores)
