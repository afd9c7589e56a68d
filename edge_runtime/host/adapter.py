"""An adapter's process: some devices, an outbox of its own, and the line to the runtime."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass

from edge_runtime import status
from edge_runtime.adapters.handing import Ours, Refresh
from edge_runtime.adapters.link import Link
from edge_runtime.adapters.tail import Tail
from edge_runtime.bus import Bus
from edge_runtime.durable import make_folder
from edge_runtime.errors import DeviceError, StoreError
from edge_runtime.host.acquisition import Counts, make_pollers, recorder
from edge_runtime.host.context import Context
from edge_runtime.inbox.journal import Journal
from edge_runtime.outages import Outages
from edge_runtime.outbox.collector import Collector
from edge_runtime.outbox.committed import Committed
from edge_runtime.outbox.database import store_errors
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.writer import Outbox
from edge_runtime.polling import DevicePoller
from edge_runtime.watched_clock import WatchedClock

TIDY_S = 2.0
SCRUB_S = 60.0


@dataclass(frozen=True, slots=True)
class Adapter:
    """Everything that runs in an adapter's process."""

    context: Context
    name: str
    outbox: Outbox
    collector: Collector
    reader: OutboxReader
    link: Link
    pollers: Mapping[str, DevicePoller]
    counts: Counts


async def run_adapter(context: Context, name: str) -> None:
    """Run until cancelled; then what was read is committed, and handed over after the next start.

    ``context.settings`` hold the devices of this adapter only.

    Raises:
        StoreError: the adapter's folder cannot be used.

    """
    async with _open_adapter(context, name) as adapter, asyncio.TaskGroup() as around:
        collecting = around.create_task(adapter.collector.run())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(adapter.link.run())
                group.create_task(_tidy(adapter))
                group.create_task(_scrub(adapter))
                group.create_task(_tell_status(adapter))
                for poller in adapter.pollers.values():
                    group.create_task(poller.run())
        finally:
            collecting.cancel()


@asynccontextmanager
async def _open_adapter(context: Context, name: str) -> AsyncIterator[Adapter]:
    settings, clock = context.settings, WatchedClock(context.clock)
    folders = context.folders.adapter(name)
    with store_errors(folders.own):
        make_folder(folders.own)
    async with Outbox.open(folders.outbox, settings.outbox, context.clock) as outbox:
        with (
            closing(Journal(folders.journal, context.clock)) as journal,
            closing(OutboxReader(folders.outbox)) as reader,
        ):
            counts = Counts()

            def committed(batch: Committed) -> None:
                counts.note(batch)
                link.notice()

            collector = Collector(outbox, settings.outbox, clock, committed, watched=clock)
            bus, tail = Bus(), Tail(clock)
            bus.on_readings(tail.take)
            bus.on_readings(recorder(collector, counts))
            bus.on_event(collector.add_event)
            pollers = {
                poller.name: poller
                for poller in make_pollers(settings.devices, bus, clock, Outages(journal))
            }
            ours = Ours(
                name, context.version, os.getpid(), outbox, reader, tail,
                _refresher(pollers, collector), folders.acknowledged,
            )  # fmt: skip
            link = Link(ours, context.folders.run, clock)
            yield Adapter(context, name, outbox, collector, reader, link, pollers, counts)


def _refresher(pollers: Mapping[str, DevicePoller], collector: Collector) -> Refresh:
    """Read a device and commit what it gave, so that it is handed over at once."""

    async def refresh(device: str) -> str:
        if device not in pollers:
            return f"no device '{device}' in this adapter"
        try:
            await pollers[device].refresh()
            await collector.flush()
        except (DeviceError, StoreError) as exc:
            return str(exc)
        return ""

    return refresh


async def _tidy(adapter: Adapter) -> None:
    """Remove what the runtime took."""
    try:
        while True:
            await adapter.context.clock.sleep(TIDY_S)
            await adapter.link.tidy()
    finally:
        await adapter.link.tidy()


async def _scrub(adapter: Adapter) -> None:
    """Verify what is stored, a piece a minute."""
    while True:
        await adapter.context.clock.sleep(SCRUB_S)
        with suppress(StoreError):
            await adapter.outbox.scrub()


async def _tell_status(adapter: Adapter) -> None:
    folder, name = adapter.context.folders.run, status.adapter_file(adapter.name)
    started_us = adapter.context.clock.wall_us()
    try:
        while True:
            with suppress(StoreError, OSError):
                status.write_status(folder, name, await _status(adapter, started_us))
            await adapter.context.clock.sleep(status.INTERVAL_S)
    finally:
        with suppress(StoreError, OSError):
            status.write_status(folder, name, await _status(adapter, started_us))


async def _status(adapter: Adapter, started_us: int) -> status.AdapterStatus:
    link, health = adapter.link.status, adapter.collector.health
    return status.AdapterStatus(
        time_us=adapter.context.clock.wall_us(),
        pid=os.getpid(),
        version=adapter.context.version,
        adapter=adapter.name,
        started_us=started_us,
        connected=link.connected,
        link_error=link.error,
        waiting=adapter.link.waiting(),
        handed_over=link.handed_over,
        overflows=link.overflows,
        accepted=adapter.counts.accepted,
        committed=adapter.counts.committed,
        pending=health.pending_samples,
        dropped=health.dropped_samples,
        bytes_on_disk=await adapter.outbox.size(),
        outbox_error=health.reason,
        memory_bytes=status.memory_bytes(),
        cpu_s=round(time.process_time(), 3),
        devices={name: poller.status for name, poller in adapter.pollers.items()},
    )
