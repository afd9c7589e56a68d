"""Keeps the processes of a gateway running: starts them, starts them again, stops them all.

Each process is the leader of its own session, so that a Ctrl-C in a terminal reaches it through the
supervisor only. It follows its parent (:func:`~edge_runtime.host.process.follow_parent`), so that
nothing is left when the supervisor itself is killed.
"""

import asyncio
import logging
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

from edge_runtime.clock import Clock
from edge_runtime.host.process import STOP_S

FIRST_RESTART_S = 0.5
LAST_RESTART_S = 30.0
STEADY_S = 30.0
"""A process that ran so long starts anew without a wait."""

logger = logging.getLogger(__name__)


def restart_delay(deaths: int) -> float:
    """Wait 0.5 s, 1 s, 2 s … 30 s before starting again."""
    return min(LAST_RESTART_S, FIRST_RESTART_S * 2.0 ** min(deaths - 1, 16))


async def supervise(commands: Mapping[str, Sequence[str]], clock: Clock) -> None:
    """Run each command as a process until cancelled; then stop them all within ``STOP_S``."""
    async with asyncio.TaskGroup() as group:
        for name, command in commands.items():
            group.create_task(_keep_running(name, command, clock))


async def _keep_running(name: str, command: Sequence[str], clock: Clock) -> None:
    deaths = 0
    while True:
        started = clock.monotonic()
        process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
        logger.info("%s started, process %d", name, process.pid)
        try:
            code = await process.wait()
        finally:
            await _stop(process)
        deaths = 1 if clock.monotonic() - started >= STEADY_S else deaths + 1
        delay = restart_delay(deaths)
        logger.warning("%s ended with %s, again in %.1f s", name, _ending(code), delay)
        await clock.sleep(delay)


async def _stop(process: Process) -> None:
    """Ask a process to stop; kill it when it does not."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S + 0.5):
            await process.wait()
    except TimeoutError:
        logger.warning("process %d did not stop in %.0f s and is killed", process.pid, STOP_S)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _ending(code: int) -> str:
    """Name an exit code or a signal."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
