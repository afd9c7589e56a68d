"""Puts the feed between the domains that change something and the people who watch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from fastapi import FastAPI

from cloud_api.access.caller import GatewayCaller
from cloud_api.alerts import service as alerts
from cloud_api.commands import service as commands
from cloud_api.commands.board import Board
from cloud_api.db.session import Db
from cloud_api.live.feed import Feed
from cloud_api.live.hub import Hub
from cloud_api.telemetry.events import Change, Handler, Subject
from cloud_api.telemetry.ingest import Ingest
from cloud_sync.wire.events import Event, EventKind

Apply = Callable[[Db, GatewayCaller, Event, datetime], Awaitable[UUID | str | None]]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Let alerts and commands take part in ingest, and run the feed."""
    ingest: Ingest = app.state.ingest
    board: Board = app.state.command_board
    ingest.handle(EventKind.ALERT_RAISED, _as_handler(Subject.ALERT, alerts.apply_raised))
    ingest.handle(EventKind.ALERT_CLEARED, _as_handler(Subject.ALERT, alerts.apply_cleared))
    ingest.handle(EventKind.COMMAND_RESULT, _as_handler(Subject.COMMAND, commands.apply_result))
    hub = app.state.live_hub = Hub()
    feed = Feed(app.state.database, hub)
    ingest.listen(feed.ingested)
    board.listen(feed.commands_changed)
    tasks = [asyncio.create_task(feed.run()), asyncio.create_task(_close(app, hub))]
    yield
    hub.close()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _close(app: FastAPI, hub: Hub) -> None:
    await app.state.stopping.wait()
    hub.close()


def _as_handler(subject: Subject, apply: Apply) -> Handler:
    """Turn "the id of what is news, or None" into what ingest expects."""

    async def handler(db: Db, caller: GatewayCaller, event: Event, time: datetime) -> list[Change]:
        news = await apply(db, caller, event, time)
        return [] if news is None else [Change(subject, news)]

    return handler
