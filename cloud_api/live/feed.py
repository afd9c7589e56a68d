"""Fills the hub: values at once, everything else as it is shown elsewhere, read after the commit."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

import msgspec
import psycopg

from cloud_api.alerts import service as alerts
from cloud_api.commands import service as commands
from cloud_api.db.session import Database, Db
from cloud_api.errors import NotFoundError
from cloud_api.live.agenda import Agenda, Item, Topic
from cloud_api.live.hub import Hub
from cloud_api.live.schemas import CommandEvent, Reference
from cloud_api.overview import service as overview
from cloud_api.registry.schemas import View
from cloud_api.telemetry.ingest import Ingested

log = logging.getLogger(__name__)

TICK_S = 0.1
"""Longest wait of something due."""
AFTER_FAILURE_S = 1.0


class Feed:
    """Listens to ingest and commands and publishes what changed, for tenants that are watched."""

    def __init__(
        self, database: Database, hub: Hub, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._hub = hub
        self._monotonic = monotonic
        self._agenda = Agenda()

    def ingested(self, upload: Ingested) -> None:
        """Publish the newest values of an upload, and put what else it changed on the agenda."""
        tenant, gateway = upload.caller.tenant, upload.caller.gateway
        if not self._hub.is_watched(tenant):
            return
        if upload.newest is not None:
            points = upload.newest.live()
            values = {"gateway": str(gateway), "late": upload.late, "points": points}
            self._hub.publish(tenant, "values", msgspec.json.encode(values))
        changes = [(Topic(change.subject), change.id) for change in upload.changes]
        self._add(tenant, changes)
        if any(topic is not Topic.COMMAND for topic, _ in changes):
            self._add(tenant, [(Topic.GATEWAY, gateway)])
        self._agenda.contact(tenant, gateway, upload.backlog.batches, self._monotonic())

    def commands_changed(self, tenant: UUID, changed: Collection[UUID]) -> None:
        """Put commands on the agenda."""
        if self._hub.is_watched(tenant):
            self._add(tenant, [(Topic.COMMAND, command) for command in changed])

    def _add(self, tenant: UUID, subjects: Iterable[tuple[Topic, UUID | str]]) -> None:
        now = self._monotonic()
        if not all(self._agenda.add(Item(tenant, topic, key), now) for topic, key in subjects):
            self._hub.publish(tenant, "reset", b"{}")

    async def run(self) -> None:
        """Publish what is due, for ever."""
        while True:
            due = self._agenda.take(self._monotonic())
            try:
                await self._publish(due)
            except psycopg.Error as exc:
                log.warning("the live feed could not read", extra={"reason": str(exc)})
                for item in due:
                    self._agenda.add(item, self._monotonic())
                await asyncio.sleep(AFTER_FAILURE_S)
            await asyncio.sleep(TICK_S)

    async def _publish(self, due: list[Item]) -> None:
        watched = [item for item in due if self._hub.is_watched(item.tenant)]
        watched.sort(key=lambda item: item.tenant)
        for tenant, items in groupby(watched, key=lambda item: item.tenant):
            async with self._database.transaction(tenant) as db:
                shown = [(item.topic, await _view(db, item)) for item in items]
            for topic, view in shown:
                if view is not None:
                    self._hub.publish(tenant, topic, view.model_dump_json().encode())


async def _view(db: Db, item: Item) -> View | None:
    """Read a subject as it is shown elsewhere; None when it is gone."""
    now = datetime.now(UTC)
    try:
        match item.topic, item.id:
            case Topic.GATEWAY, UUID() as gateway:
                return await overview.gateway(db, item.tenant, gateway, now)
            case Topic.DEVICE, UUID() as device:
                return await overview.device(db, item.tenant, device)
            case Topic.COMMAND, UUID() as command:
                return await _command(db, item.tenant, command)
            case _, key:
                return await alerts.find_alert(db, item.tenant, str(key))
    except NotFoundError:
        return None


async def _command(db: Db, tenant: UUID, command: UUID) -> CommandEvent | None:
    found = await commands.find_command(db, tenant, command)
    if found is None:
        return None
    gateway, view = found
    return CommandEvent(**dict(view), gateway=Reference(id=str(gateway)))
