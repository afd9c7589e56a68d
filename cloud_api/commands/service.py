"""Commands: issued once, handed to the gateway, ended by the gateway's own word."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from cloud_api.access.caller import Caller, GatewayCaller
from cloud_api.commands import queries
from cloud_api.commands.queries import Order
from cloud_api.commands.schemas import Command, CommandRequest
from cloud_api.commands.states import Step, result_step
from cloud_api.db.session import Db
from cloud_api.errors import ConflictError, NotFoundError, TooManyError
from cloud_sync.wire.downlink import Document, DocumentKind
from cloud_sync.wire.errors import MessageInvalidError
from cloud_sync.wire.events import CommandResult, Event, body_of

VALID_FOR = timedelta(minutes=5)
"""A refresh that comes later than this is of no use to whoever asked."""


async def issue(
    db: Db,
    caller: Caller,
    gateway: UUID,
    request: CommandRequest,
    *,
    key: str,
    now: datetime,
) -> tuple[Command, bool]:
    """Queue a command, or find the one that the same key queued before; tells whether it is new.

    Raises:
        NotFoundError: the tenant has no such gateway.
        ConflictError: the key was used for another request.
        TooManyError: the gateway has not taken the last ones yet.

    """
    tenant = caller.tenant
    if not await queries.gateway_exists(db, tenant, gateway):
        raise NotFoundError
    await queries.lapse(db, tenant, gateway, now)
    digest = hashlib.sha256(request.model_dump_json().encode()).digest()
    waiting = await queries.count_waiting(db, tenant, gateway)
    used = await queries.find_by_key(db, tenant, gateway, key)
    if used is None and waiting >= queries.MAX_WAITING:
        raise TooManyError(
            f"{waiting} commands still wait for the gateway",
            hint="wait until it has taken them, or until they expire",
            headers={"Retry-After": "60"},
        )
    order = Order(uuid4(), gateway, request.name, caller.email, now, now + VALID_FOR, key, digest)
    new = used is None and await queries.add_command(db, tenant, order)
    found = await queries.find_by_key(db, tenant, gateway, key)
    if found is None or found[1] != digest:
        raise ConflictError(
            "this Idempotency-Key was used for another command",
            hint="use a fresh key for each command",
        )
    return found[0], new


async def hand_out(
    db: Db, caller: GatewayCaller, now: datetime
) -> tuple[list[Document], list[UUID]]:
    """Give what a gateway still has to store, and note it as sent; second, what changed by it."""
    tenant, gateway = caller.tenant, caller.gateway
    changed = await queries.lapse(db, tenant, gateway, now)
    waiting = await queries.unacknowledged(db, tenant, gateway, now)
    for command in waiting:
        number = UUID(command.id)
        if await queries.advance(db, tenant, gateway, number, step=Step.SEND, now=now):
            changed.append(number)
    return [_document(command) for command in waiting], changed


async def acknowledge(db: Db, caller: GatewayCaller, command: UUID, now: datetime) -> bool:
    """Note that a gateway has a command on disk; tells whether that is news.

    Raises:
        NotFoundError: the gateway has no such command.

    """
    found = await queries.find_command(db, caller.tenant, command)
    if found is None or found[0] != caller.gateway:
        raise NotFoundError
    return await queries.advance(
        db, caller.tenant, caller.gateway, command, step=Step.ACKNOWLEDGE, now=now
    )


async def apply_result(db: Db, caller: GatewayCaller, event: Event, time: datetime) -> UUID | None:
    """Note how a command ended; give its id if that is news.

    Raises:
        MessageInvalidError: the event's body does not fit, or its state is no ending.

    """
    body = body_of(event, CommandResult)
    step = result_step(body.state)
    if step is None:
        msg = f"event {event.id}: a command ends as succeeded, failed or expired, not {body.state}"
        raise MessageInvalidError(msg)
    try:
        command = UUID(body.command)
    except ValueError as exc:
        msg = f"event {event.id}: {body.command} is not the id of a command"
        raise MessageInvalidError(msg) from exc
    new = await queries.advance(
        db, caller.tenant, caller.gateway, command, step=step, now=time, reason=body.reason
    )
    return command if new else None


async def find_command(db: Db, tenant: UUID, command: UUID) -> tuple[UUID, Command] | None:
    """Give a command with its gateway."""
    return await queries.find_command(db, tenant, command)


def _document(command: Command) -> Document:
    return Document(
        id=command.id,
        kind=DocumentKind.COMMAND,
        issued_us=_microseconds(command.issued_at),
        not_after_us=_microseconds(command.not_after),
        body={"name": command.name},
    )


def _microseconds(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000 + time.microsecond
