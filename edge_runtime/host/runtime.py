"""The runtime's process: devices, rules, commands and the outbox. It never knows of the line."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass

import msgspec

from cloud_sync.wire.events import EventKind, GatewayStarted
from edge_runtime import status
from edge_runtime.adapters.absence import Absence
from edge_runtime.adapters.reception import Reception
from edge_runtime.bus import Bus
from edge_runtime.clock import boot_id
from edge_runtime.commands import Answering, Commander, Refreshed, refresh_command
from edge_runtime.declaring import declare_points
from edge_runtime.errors import StoreError
from edge_runtime.happenings import make_event
from edge_runtime.host.acquisition import Counts, make_pollers, recorder
from edge_runtime.host.context import Context
from edge_runtime.inbox.journal import Journal
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.outages import Outages
from edge_runtime.outbox.collector import Collector
from edge_runtime.outbox.writer import Outbox
from edge_runtime.polling import DevicePoller
from edge_runtime.rules.engine import RuleEngine
from edge_runtime.rules.step import Rule
from edge_runtime.timekeeper import Timekeeper
from edge_runtime.watched_clock import WatchedClock

INBOX_CHECK_S = 0.2
PRUNE_S = 2.0
"""Least time between two looks for segments that the cloud has altogether."""
SCRUB_S = 60.0
"""Time between two pieces of verifying what is stored."""


@dataclass(slots=True)
class Runtime:
    """Everything that runs in the runtime's process."""

    context: Context
    outbox: Outbox
    collector: Collector
    counts: Counts
    inbox: InboxReader
    journal: Journal
    bus: Bus
    engine: RuleEngine
    pollers: Sequence[DevicePoller]
    commander: Commander
    reception: Reception
    timekeeper: Timekeeper

    def declare(self) -> None:
        """Tell the cloud all devices and points."""
        body = declare_points(self.context.settings)
        self._emit(EventKind.POINTS_DECLARED, body)

    def announce(self) -> None:
        """Tell the cloud that the runtime started, and what it has."""
        self._emit(EventKind.GATEWAY_STARTED, GatewayStarted(self.context.version, boot_id()))
        self.declare()

    def _emit(self, kind: EventKind, body: msgspec.Struct) -> None:
        now_us = self.context.clock.wall_us()
        self.collector.add_event(make_event(kind, body, now_us))


async def run_runtime(context: Context, rules: Sequence[Rule]) -> None:
    """Run until cancelled; then what was accepted is committed.

    Raises:
        StoreError: the state folder cannot be used.

    """
    async with _open_runtime(context, rules) as runtime, asyncio.TaskGroup() as around:
        collecting = around.create_task(runtime.collector.run())
        runtime.announce()
        try:
            await _run_parts(runtime)
        finally:
            collecting.cancel()


async def _run_parts(runtime: Runtime) -> None:
    collector = runtime.collector
    async with asyncio.TaskGroup() as group:
        group.create_task(runtime.engine.run(collector.add_event, collector.flush))
        group.create_task(runtime.commander.run())
        group.create_task(runtime.timekeeper.run(collector.add_event, collector.flush))
        group.create_task(_watch_inbox(runtime))
        if runtime.context.settings.adapters() or runtime.context.folders.adapters.is_dir():
            group.create_task(runtime.reception.run())
        group.create_task(_scrub(runtime))
        group.create_task(_tell_status(runtime))
        for poller in runtime.pollers:
            group.create_task(poller.run())


@asynccontextmanager
async def _open_runtime(context: Context, rules: Sequence[Rule]) -> AsyncIterator[Runtime]:
    settings, folders = context.settings, context.folders
    clock = WatchedClock(context.clock)
    async with Outbox.open(folders.outbox, settings.outbox, context.clock) as outbox:
        with (
            closing(Journal(folders.journal, context.clock)) as journal,
            closing(InboxReader(folders.inbox)) as inbox,
        ):
            counts = Counts()
            collector = Collector(outbox, settings.outbox, clock, counts.note, watched=clock)
            timekeeper = Timekeeper(clock, journal)
            bus = Bus()
            engine = RuleEngine(rules, journal, clock)
            bus.on_readings(engine.take)
            bus.on_readings(recorder(collector, counts))
            bus.on_event(collector.add_event)
            outages = Outages(journal)
            pollers = make_pollers(settings.devices_of(""), bus, clock, outages)
            reception = _reception(context, outbox, bus, outages, counts)
            answering = Answering(collector.add_event, collector.flush)
            refreshed: tuple[Refreshed, ...] = (*pollers, *reception.devices())
            known = refresh_command(refreshed, lambda: runtime.declare())  # noqa: PLW0108 - made below
            commander = Commander(inbox, journal, answering, clock, known, forgot=journal.forgot)
            runtime = Runtime(
                context, outbox, collector, counts, inbox, journal, bus, engine, pollers, commander,
                reception, timekeeper,
            )  # fmt: skip
            yield runtime


def _reception(
    context: Context, outbox: Outbox, bus: Bus, outages: Outages, counts: Counts
) -> Reception:
    """Make the place where adapters come."""
    settings, clock = context.settings, context.clock
    points = {
        name: {
            device.settings.name: [
                f"{device.settings.name}/{p.name}" for p in device.settings.points
            ]
            for device in settings.devices_of(name)
        }
        for name in settings.adapters()
    }
    absence = Absence(points, bus, outages, clock)
    return Reception(
        context.folders.run, outbox, points, absence, bus=bus, clock=clock,
        on_taken=counts.note_taken,
    )  # fmt: skip


async def _watch_inbox(runtime: Runtime) -> None:
    """Notice acknowledgements and documents."""
    clock, inbox = runtime.context.clock, runtime.inbox
    pruned_at, untold = clock.monotonic() - PRUNE_S, False
    while True:
        if inbox.changed():
            untold = True
            runtime.commander.notice()
        if untold and clock.monotonic() - pruned_at >= PRUNE_S:
            pruned_at, untold = clock.monotonic(), False
            with suppress(StoreError):
                await runtime.outbox.prune(inbox.acknowledged())
        await clock.sleep(INBOX_CHECK_S)


async def _scrub(runtime: Runtime) -> None:
    """Verify what is stored, a piece a minute."""
    while True:
        await runtime.context.clock.sleep(SCRUB_S)
        with suppress(StoreError):
            await runtime.outbox.scrub()


async def _tell_status(runtime: Runtime) -> None:
    started_us, clock = runtime.context.clock.wall_us(), runtime.context.clock

    async def tell() -> None:
        with suppress(StoreError, OSError):
            folder = runtime.context.folders.run
            status.write_status(folder, "runtime", await _status(runtime, started_us))

    try:
        while True:
            await tell()
            await clock.sleep(runtime.context.status_s)
    finally:
        await tell()


async def _status(runtime: Runtime, started_us: int) -> status.RuntimeStatus:
    context = runtime.context
    return status.RuntimeStatus(
        time_us=context.clock.wall_us(),
        pid=os.getpid(),
        boot=boot_id(),
        version=context.version,
        gateway=context.settings.name,
        started_us=started_us,
        readings=sum(poller.status.readings for poller in runtime.pollers),
        reported=sum(poller.status.reported for poller in runtime.pollers),
        clock=context.clock.quality().name.lower(),
        memory_bytes=status.memory_bytes(),
        cpu_s=round(time.process_time(), 3),
        outbox=await _outbox_status(runtime),
        devices={poller.name: poller.status for poller in runtime.pollers},
        rules=[
            status.RuleStatus(rule.name, rule.point, state.alert)
            for rule, state in runtime.engine.states()
        ],
    )


async def _outbox_status(runtime: Runtime) -> status.OutboxStatus:
    health, counts = runtime.collector.health, runtime.counts
    return status.OutboxStatus(
        epoch=runtime.outbox.epoch,
        accepted=counts.accepted,
        committed=counts.committed,
        batches=counts.batches,
        events=counts.events,
        pending=health.pending_samples,
        dropped=health.dropped_samples,
        bytes_written=counts.bytes_written,
        bytes_on_disk=await runtime.outbox.size(),
        max_bytes=runtime.context.settings.outbox.max_bytes,
        error=health.reason,
    )
