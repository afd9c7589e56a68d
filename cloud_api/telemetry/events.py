"""The events of an upload, kept and applied in their order.

An event that cannot be applied (a body that does not fit its kind, a declaration past the limits)
is kept all the same and logged: refusing it would make the gateway send it for ever.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg

from cloud_api.access.caller import GatewayCaller
from cloud_api.db.session import Db
from cloud_api.errors import RequestError
from cloud_api.registry import service as registry
from cloud_api.telemetry import queries
from cloud_api.telemetry.clocks import queries as clocks
from cloud_api.telemetry.columns import EARLIEST_US, LATEST_US, storable
from cloud_api.telemetry.doubt import MAX_BOOT_CHARS
from cloud_api.telemetry.spans import time_of
from cloud_api.telemetry.uploads import MAX_SEQ, Opened
from cloud_sync.wire.batch import Stream
from cloud_sync.wire.errors import MessageInvalidError
from cloud_sync.wire.events import (
    ClockSynchronised,
    DeviceBack,
    DeviceSilent,
    Event,
    EventKind,
    Gap,
    PointsDeclared,
    body_of,
)

log = logging.getLogger(__name__)

MAX_CLOCK_SPANS = 64
MAX_TEXT_CHARS = 100
"""Of an event's id and kind."""


class Subject(StrEnum):
    """What a change is about."""

    ALERT = "alert"
    COMMAND = "command"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the live feed has to show afresh."""

    subject: Subject
    id: UUID | str


Handler = Callable[[Db, GatewayCaller, Event, datetime], Awaitable[Sequence[Change]]]
"""Applies one event inside the transaction; the time is that of the event.

May raise MessageInvalidError, RequestError or a data error of the database: the event is then kept
and not applied.
"""
Handlers = Mapping[str, Handler]


async def apply_events(
    db: Db, caller: GatewayCaller, batches: Sequence[Opened], handlers: Handlers, now: datetime
) -> list[Change]:
    """Keep and apply the events of new batches; gives what changed."""
    changes: list[Change] = []
    for opened in batches:
        for event in opened.events:
            changes += await _take(db, caller, _bounded(event), handlers, now)
    return changes


async def _take(
    db: Db, caller: GatewayCaller, event: Event, handlers: Handlers, now: datetime
) -> Sequence[Change]:
    time = time_of(event.time_us) if EARLIEST_US <= event.time_us <= LATEST_US else now
    if not await queries.add_event(db, caller.tenant, caller.gateway, event, time):
        return ()
    handler = handlers.get(event.kind)
    if handler is None:
        return ()
    try:
        async with db.transaction():
            return await handler(db, caller, event, time)
    except (MessageInvalidError, RequestError, psycopg.DataError, psycopg.IntegrityError) as exc:
        log.warning(
            "an event could not be applied",
            extra={"gateway": str(caller.gateway), "kind": event.kind, "reason": str(exc)[:500]},
        )
        return ()


def _bounded(event: Event) -> Event:
    """Make an event storable: text without NUL, names within their columns."""
    return Event(
        storable(event.id)[:MAX_TEXT_CHARS] or "-",
        storable(event.kind)[:MAX_TEXT_CHARS] or "-",
        event.time_us,
        _storable(event.body),
    )


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case list():
            return [_storable(item) for item in value]
        case dict():
            return {storable(str(key)): _storable(item) for key, item in value.items()}
        case float() if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN
            return None
        case bytes():
            return value.hex()
        case _:
            return value


async def _declared(db: Db, caller: GatewayCaller, event: Event, time: datetime) -> list[Change]:
    declared = body_of(event, PointsDeclared)
    devices = await registry.declare(db, caller.tenant, caller.gateway, declared, time)
    return [Change(Subject.DEVICE, device) for device in devices.values()]


async def _silent(db: Db, caller: GatewayCaller, event: Event, time: datetime) -> list[Change]:
    body = body_of(event, DeviceSilent)
    device = await registry.device_silent(
        db, caller.tenant, caller.gateway, body.device, since=time, reason=body.reason
    )
    return [] if device is None else [Change(Subject.DEVICE, device)]


async def _back(db: Db, caller: GatewayCaller, event: Event, _time: datetime) -> list[Change]:
    body = body_of(event, DeviceBack)
    device = await registry.device_back(db, caller.tenant, caller.gateway, body.device)
    return [] if device is None else [Change(Subject.DEVICE, device)]


async def _gap(db: Db, caller: GatewayCaller, event: Event, time: datetime) -> list[Change]:
    body = body_of(event, Gap)
    if not (body.stream in set(Stream) and 1 <= body.first <= body.last <= MAX_SEQ):
        msg = f"gap {body.stream}/{body.epoch} {body.first} to {body.last} is outside the limits"
        raise MessageInvalidError(msg)
    await queries.add_gap(db, caller.tenant, caller.gateway, body, time)
    return []


async def _clock(db: Db, caller: GatewayCaller, event: Event, _time: datetime) -> list[Change]:
    body = body_of(event, ClockSynchronised)
    if not (0 < len(body.boot) <= MAX_BOOT_CHARS and 0 < len(body.spans) <= MAX_CLOCK_SPANS):
        msg = f"the clock of boot {body.boot[:MAX_BOOT_CHARS]} is outside the limits"
        raise MessageInvalidError(msg)
    numbers = [n for s in body.spans for n in (s.from_us, s.to_us, s.offset_us)]
    if not all(abs(n) <= LATEST_US for n in (body.offset_us, *numbers)):
        msg = f"the clock of boot {body.boot} names a time outside of the years 1 to 9999"
        raise MessageInvalidError(msg)
    await clocks.note_clock(db, caller.tenant, caller.gateway, event.id, body)
    return []


OWN_HANDLERS: Handlers = {
    EventKind.CLOCK_SYNCHRONISED: _clock,
    EventKind.POINTS_DECLARED: _declared,
    EventKind.DEVICE_SILENT: _silent,
    EventKind.DEVICE_BACK: _back,
    EventKind.GAP: _gap,
}
