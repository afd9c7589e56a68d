"""An upload, taken in one transaction: what is new is stored, what is known is acknowledged again.

    open and decode → lock the gateway → new, duplicate or clone? → events → numbers, newest
    samples → chunks → commit → live

Other domains take part by handlers, one a kind of event, called inside the transaction, and by
listeners, called after the commit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from cloud_api.access.caller import GatewayCaller
from cloud_api.db.session import Database, Db, copying
from cloud_api.errors import MessageRefusedError, TooManyError
from cloud_api.registry import service as registry
from cloud_api.registry.states import LATE_AFTER
from cloud_api.telemetry import queries
from cloud_api.telemetry.chunks import copy_bytes
from cloud_api.telemetry.doubt import part
from cloud_api.telemetry.events import OWN_HANDLERS, Change, Handler, apply_events
from cloud_api.telemetry.gather import gather
from cloud_api.telemetry.keys import PointKeys
from cloud_api.telemetry.newest import NOTHING, Newest, newest_of
from cloud_api.telemetry.uploads import Opened, Plan, open_upload, plan
from cloud_sync.wire.errors import WireError
from cloud_sync.wire.uplink import Backlog, BatchResult, Upload, UploadReply, decode_upload

THREAD_FROM_BYTES = 1 << 16
"""From this size on an upload is decoded beside the event loop, so that nobody waits for it."""


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """How much may be on its way at once."""

    running: int = 4
    """Transactions at a time: one a connection of the ingest pool."""
    waiting: int = 64
    """Uploads that wait for one; any more are sent away with 429."""
    retry_after_s: int = 1


DEFAULT_LIMITS = IngestLimits()


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an upload changed, for the live feed; published after the commit."""

    caller: GatewayCaller
    backlog: Backlog
    at: datetime
    newest: Newest | None
    changes: list[Change]

    @property
    def late(self) -> bool:
        """Whether even the newest sample was read long ago."""
        if self.newest is None:
            return False
        return int(self.newest.times.max()) < (self.at - LATE_AFTER).timestamp() * 1e6


class Ingest:
    """Takes the uploads of all gateways of this process."""

    def __init__(
        self,
        database: Database,
        *,
        limits: IngestLimits = DEFAULT_LIMITS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._handlers: dict[str, Handler] = dict(OWN_HANDLERS)
        self._listeners: list[Callable[[Ingested], None]] = []
        self._limits = limits
        self._now = now
        self._running = asyncio.Semaphore(limits.running)
        self._waiting = 0
        self._keys = PointKeys()

    def handle(self, kind: str, handler: Handler) -> None:
        """Apply events of a kind by ``handler``."""
        self._handlers[kind] = handler

    def listen(self, listener: Callable[[Ingested], None]) -> None:
        """Call ``listener`` after the commit of each upload; it must not wait or fail."""
        self._listeners.append(listener)

    async def take(self, caller: GatewayCaller, body: bytes) -> UploadReply:
        """Store an upload and answer batch by batch.

        Raises:
            MessageRefusedError: the body is no upload; nothing was stored.
            TooManyError: too many uploads are on their way.

        """
        async with self._admitted():
            upload, items = await _opened(body)
            results, ingested = await self._store(caller, upload, items)
        for listener in self._listeners:
            listener(ingested)
        return UploadReply(results)

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        if self._waiting >= self._limits.waiting:
            raise TooManyError(
                "too many uploads at once",
                hint="send again later; nothing of this upload was stored",
                headers={"Retry-After": str(self._limits.retry_after_s)},
            )
        self._waiting += 1
        try:
            await self._running.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._running.release()

    async def _store(
        self, caller: GatewayCaller, upload: Upload, items: list[Opened | BatchResult]
    ) -> tuple[list[BatchResult], Ingested]:
        now = self._now()
        tenant, gateway = caller.tenant, caller.gateway
        numbers = [item.number for item in items if isinstance(item, Opened)]
        async with self._database.ingest(tenant) as db:
            async with db.pipeline():
                # Locks the gateway's row: from here on no other upload of it decides what is new.
                await registry.touch(
                    db, tenant, gateway, upload.backlog, version=upload.version, now=now
                )
                known = await queries.received(db, tenant, gateway, numbers)
            made = plan(items, known)
            changes = await apply_events(db, caller, made.new, self._handlers, now)
            ids = await self._keys.resolve(db, caller, made)
            newest = await _write(db, caller, made, ids, now)
        self._keys.remember(caller, ids)
        return made.results, Ingested(caller, upload.backlog, now, newest, changes)


async def _opened(body: bytes) -> tuple[Upload, list[Opened | BatchResult]]:
    try:
        upload = decode_upload(body)
    except WireError as exc:
        raise MessageRefusedError(str(exc)) from exc
    if len(body) < THREAD_FROM_BYTES:
        return upload, open_upload(upload.batches)
    return upload, await asyncio.to_thread(open_upload, upload.batches)


async def _write(
    db: Db, caller: GatewayCaller, made: Plan, ids: Mapping[str, int], now: datetime
) -> Newest | None:
    """Write numbers, newest samples and chunks; gives the newest samples."""
    if not made.new:
        return None
    sound, doubtful = part(made.new, now)
    columns = [*sound, *chain.from_iterable(doubtful.values())]
    gathered = gather(columns, ids) if columns else None
    newest = newest_of(gathered) if gathered is not None else NOTHING
    async with AsyncExitStack() as stack:
        async with db.pipeline():
            await queries.record(db, caller.tenant, caller.gateway, made, newest, now=now)
            if gathered is None:
                return None
            await stack.enter_async_context(copying(db))
        if sound:
            fine = gathered if not doubtful else gather(sound, ids)
            await queries.copy_chunks(db, caller.tenant, copy_bytes(caller.tenant, fine))
        for boot, batches in doubtful.items():
            data = copy_bytes(caller.tenant, gather(batches, ids), boot)
            await queries.copy_doubtful_chunks(db, caller.tenant, data)
    return newest
