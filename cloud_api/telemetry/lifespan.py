"""What telemetry needs for as long as the process runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from cloud_api.telemetry.ingest import Ingest
from cloud_api.telemetry.partitions import keep_partitions


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the ingest; other domains add their handlers to it."""
    app.state.ingest = Ingest(app.state.database)
    keeper = asyncio.create_task(keep_partitions(app.state.database))
    yield
    keeper.cancel()
    await asyncio.wait([keeper])
