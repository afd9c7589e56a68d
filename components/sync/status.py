"""``run/agent.json``: what the agent says of itself, rewritten every second."""

import asyncio
import logging
import os
from types import TracebackType
from typing import Self

import msgspec

from cloud_sync.status import SyncStatus
from edge_runtime.clock import boot_id
from edge_runtime.host.context import Context
from edge_runtime.status import INTERVAL_S, memory_bytes, write_status

FILE = "agent"

log = logging.getLogger(__name__)


class AgentStatus(msgspec.Struct, frozen=True):
    """The whole file."""

    time_us: int
    pid: int
    boot: str
    version: str
    name: str
    started_us: int
    memory_bytes: int
    """Proportional set size."""
    line: SyncStatus


class StatusFile:
    """Writes the file while it is open, and once more at the end."""

    def __init__(self, context: Context, status: SyncStatus) -> None:
        """``status`` is changed by uplink and downlink meanwhile."""
        self._context = context
        self._status = status
        self._started_us = context.clock.wall_us()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say how it ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._status.connected = self._status.downlink = False
        self._status.state = "stopped"
        self.write()

    async def _run(self) -> None:
        while True:
            self.write()
            await self._context.clock.sleep(INTERVAL_S)

    def write(self) -> None:
        """Replace the file; it is for people, so a full disk only makes it old."""
        status = AgentStatus(
            time_us=self._context.clock.wall_us(),
            pid=os.getpid(),
            boot=boot_id(),
            version=self._context.version,
            name=self._context.settings.name,
            started_us=self._started_us,
            memory_bytes=memory_bytes(),
            line=self._status,
        )
        try:
            write_status(self._context.folders.run, FILE, status)
        except OSError as exc:
            log.debug("status not written", extra={"error": str(exc)})
