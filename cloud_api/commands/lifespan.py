"""What commands need for as long as the process runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from cloud_api.commands.board import Board


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Put up the board."""
    app.state.command_board = Board()
    yield
