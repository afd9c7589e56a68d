"""One process of a kind in a state folder: the outbox has one writer, and the inbox another.

The lock is flock(2) on ``<state_dir>/<process>.lock``. The kernel lets go of it when its holder
ends, however it ends; the number in the file is for people only.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from edge_runtime.durable import make_folder
from edge_runtime.errors import AlreadyRunsError, StoreError


@contextmanager
def only_process(state_dir: Path, process: str) -> Iterator[None]:
    """Be the only ``process`` of this gateway for as long as the context lasts.

    Raises:
        AlreadyRunsError: another one runs.
        StoreError: the state folder cannot be used.

    """
    with take_lock(state_dir, process):
        yield


def take_lock(state_dir: Path, process: str) -> IO[str]:
    """Take the lock; it is held until the file is closed.

    Raises:
        AlreadyRunsError: another process holds it.
        StoreError: the state folder cannot be used.

    """
    path = state_dir / f"{process}.lock"
    try:
        make_folder(state_dir)
        file = path.open("a+", encoding="ascii")
    except OSError as exc:
        msg = f"the state folder {state_dir} cannot be used: {exc.strerror}"
        raise StoreError(msg, hint="gateway.state_dir must be a folder we may write to") from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read(20).strip() or "?"
        file.close()
        msg = f"the {process} of the gateway in {state_dir} runs already, as process {holder}"
        raise AlreadyRunsError(msg) from None
    except OSError as exc:
        file.close()
        msg = f"{path} cannot be locked: {exc.strerror}"
        raise StoreError(msg, hint="gateway.state_dir must be on a disk of this machine") from exc
    # A full disk must not keep a gateway from starting: it is the outbox that makes room.
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), str(os.getpid()).encode())
    return file
