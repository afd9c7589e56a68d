"""Processes of PostgreSQL: started under another account, tied to our life, stopped in order."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from cloud_api.db.account import Account

POLL_S = 0.01
STOP_LIMITS_S = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Fast shutdown, immediate shutdown, the end; with the seconds that each is given."""
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


def spawn(
    command: Sequence[str], log: IO[bytes], account: Account | None
) -> "subprocess.Popen[bytes]":
    """Start a program as the account, tied to the life of this thread."""
    return subprocess.Popen(  # noqa: S603 - a list, no shell; the programs of the wheel
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        umask=0o077,
        start_new_session=True,
        preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - one prctl(2), no locks are taken
    )


def _die_with(parent: int) -> Callable[[], None]:
    """Ask the kernel, in the child and after its change of user, for SIGINT at the parent's end."""

    def before_exec() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended in between
            os._exit(1)

    return before_exec


def status(data: Path) -> tuple[int, str]:
    """Read process id and status from ``postmaster.pid``; ``(0, "")`` when there is none."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0, ""
    status = lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004 - pidfile.h, LOCK_FILE_LINE_PM_STATUS
    return int(lines[0]) if lines and lines[0].isdigit() else 0, status


async def stop(process: "subprocess.Popen[bytes]", *, hurry: bool) -> None:
    """Stop in order: fast shutdown, then immediate, then kill. Nothing is kept: immediate first."""
    for number, limit_s in STOP_LIMITS_S[1:] if hurry else STOP_LIMITS_S:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, limit_s)


async def stop_orphan(data: Path) -> None:
    """Stop a server whose process died before it could; its data is whole then."""
    pid, _ = status(data)
    for number, limit_s in STOP_LIMITS_S:
        if not _serves(pid, data):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while _serves(pid, data):  # noqa: ASYNC110 - nor has somebody else's
                    await asyncio.sleep(POLL_S)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether this process is a server of this data folder: numbers are used again."""
    if pid == 0:
        return False
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == data.resolve()
    except OSError:
        return False
