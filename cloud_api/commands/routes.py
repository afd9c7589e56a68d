"""HTTP: commands of people, and the downlink and acknowledgements of gateways."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from cloud_api.access.caller import Role
from cloud_api.access.dependencies import (
    DatabaseOf,
    Enrolled,
    KeyringOf,
    Now,
    SignedIn,
    require,
)
from cloud_api.commands import queries, service
from cloud_api.commands.board import Board
from cloud_api.commands.downlink import Downlink
from cloud_api.commands.schemas import Command, CommandRequest, Commands
from cloud_api.errors import NotFoundError
from cloud_api.registry.ids import IdText, as_uuid
from cloud_sync.wire import paths

MAX_LIMIT = 200
EVENT_STREAM = "text/event-stream"

router = APIRouter(tags=["commands"])


async def board_of(request: Request) -> Board:
    """Give the board of this process."""
    board: Board = request.app.state.command_board
    return board


BoardOf = Annotated[Board, Depends(board_of)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


@router.post("/v1/gateways/{gateway}/commands", status_code=201)
async def issue(
    *,
    gateway: IdText,
    request: CommandRequest,
    idempotency_key: Key,
    caller: SignedIn,
    database: DatabaseOf,
    board: BoardOf,
    now: Now,
) -> Command:
    """Queue a command. The same Idempotency-Key gives the same command, however often it is sent."""
    require(caller, Role.OPERATOR)
    number = as_uuid(gateway)
    async with database.transaction(caller.tenant) as db:
        command, new = await service.issue(
            db, caller, number, request, key=idempotency_key.replace("\0", ""), now=now
        )
    if new:
        board.wake(number)
        board.changed(caller.tenant, [as_uuid(command.id)])
    return command


@router.get("/v1/gateways/{gateway}/commands")
async def commands(
    gateway: IdText,
    caller: SignedIn,
    database: DatabaseOf,
    now: Now,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
) -> Commands:
    """List the newest commands of a gateway."""
    number = as_uuid(gateway)
    async with database.transaction(caller.tenant) as db:
        if not await queries.gateway_exists(db, caller.tenant, number):
            raise NotFoundError
        await queries.lapse(db, caller.tenant, number, now)
        return Commands(commands=await queries.list_commands(db, caller.tenant, number, limit))


@router.get(paths.DOWNLINK, response_class=StreamingResponse)
async def downlink(
    gateway: Enrolled, database: DatabaseOf, keyring: KeyringOf, board: BoardOf
) -> StreamingResponse:
    """Stream the documents of the gateway that asks, as server-sent events."""

    async def in_good_standing() -> bool:
        return await keyring.standing.is_good(database, gateway)

    stream = Downlink(database, board, gateway, in_good_standing).stream()
    return StreamingResponse(stream, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


@router.post(paths.DOCUMENT_ACKNOWLEDGE, status_code=204)
async def acknowledge(
    document: IdText, gateway: Enrolled, database: DatabaseOf, board: BoardOf, now: Now
) -> Response:
    """Note that the gateway has a document on disk."""
    number = as_uuid(document)
    async with database.transaction(gateway.tenant) as db:
        news = await service.acknowledge(db, gateway, number, now)
    board.changed(gateway.tenant, [number] if news else [])
    return Response(status_code=204)
