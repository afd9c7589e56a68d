"""How a process of the gateway lives: it stops cleanly when told, and goes when its parent goes."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Coroutine

STOP_S = 5.0
"""A process that was told to stop is gone after this time."""

_PR_SET_PDEATHSIG = 1
"""prctl(2), Linux."""


async def run_until_stopped(work: Coroutine[None, None, None]) -> None:
    """Run until the work ends or SIGTERM or SIGINT comes; then cancel it and wait.

    A stop that hangs is ended by SIGALRM after ``STOP_S``.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, STOP_S)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def follow_parent(parent: int) -> None:
    """Get SIGTERM when the parent dies, even by ``kill -9``; stop at once where it has already."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
