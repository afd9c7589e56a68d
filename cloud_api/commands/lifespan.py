"""What commands need for as long as the process runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from cloud_api.commands.board import Board


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Put up the board, until the process begins to end."""
    board = app.state.command_board = Board()
    closer = asyncio.create_task(_close(app, board))
    yield
    closer.cancel()
    await asyncio.wait([closer])


async def _close(app: FastAPI, board: Board) -> None:
    await app.state.stopping.wait()
    board.close()
