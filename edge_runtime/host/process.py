"""How a process of the gateway lives: it stops cleanly when told, and goes when its parent goes."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Coroutine

STOP_S = 5.0
"""A process that was told to stop is given this time; the supervisor then kills it."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_PR_SET_PDEATHSIG = 1
"""prctl(2), Linux."""


async def run_until_stopped(work: Coroutine[None, None, None]) -> int:
    """Run until the work ends or SIGTERM or SIGINT comes; then cancel it and wait.

    Gives the signal, or 0 where the work ended by itself. A stop that hangs is ended by SIGALRM
    after twice ``STOP_S``.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    told: list[int] = []

    def stop(number: int) -> None:
        told.append(number)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 2 * STOP_S)
        task.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return told[0] if told else 0


def follow_parent(parent: int) -> bool:
    """Get SIGTERM when the parent dies, even by ``kill -9``; False where it is gone already."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return os.getppid() == parent
