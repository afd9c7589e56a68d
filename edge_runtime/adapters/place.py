"""The socket between adapters and runtime: ``run/adapters.sock``, for one user of this machine.

Its mode is 0600 in a folder of mode 0700, and both sides ask the kernel who the other one is
(SO_PEERCRED): only processes of the same user talk to each other.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_runtime.durable import make_folder
from edge_runtime.errors import AdapterLinkError, StoreError

NAME = "adapters.sock"
MAX_PATH_BYTES = 100
"""A little less than ``sun_path`` holds (108, unix(7)); a longer one is reached by its folder."""
BACKLOG = 16
_UCRED = struct.Struct("iII")
"""``struct ucred``: process, user, group."""
_PRIVATE = 0o177


def listen(folder: Path) -> socket.socket:
    """Make the socket and listen. One that a killed runtime left is replaced.

    Only the runtime of this gateway calls it, and that one holds the gateway's lock.

    Raises:
        StoreError: the folder cannot be used.

    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        make_folder(folder)
        (folder / NAME).unlink(missing_ok=True)
        mask = os.umask(_PRIVATE)
        try:
            with _short(folder) as address:
                listening.bind(address)
        finally:
            os.umask(mask)
        listening.listen(BACKLOG)
    except OSError as exc:
        listening.close()
        msg = f"the socket {folder / NAME} cannot be made: {exc.strerror}"
        raise StoreError(msg, hint="look at the rights of state_dir") from exc
    listening.setblocking(False)
    return listening


def connect(folder: Path) -> socket.socket:
    """Connect to the runtime's socket.

    Raises:
        AdapterLinkError: nobody listens there, or somebody else.

    """
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(folder) as address:
            connected.connect(address)
        check_peer(connected)
    except OSError as exc:
        connected.close()
        msg = f"the runtime does not listen at {folder / NAME}: {exc.strerror}"
        raise AdapterLinkError(msg) from exc
    except BaseException:
        connected.close()
        raise
    connected.setblocking(False)
    return connected


def check_peer(connected: socket.socket) -> int:
    """Ask who is at the other end; gives its process.

    Raises:
        AdapterLinkError: a process of another user.

    """
    data = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, user, _ = _UCRED.unpack(data)
    if user != os.geteuid():
        msg = f"process {pid} belongs to user {user}, this gateway to {os.geteuid()}"
        raise AdapterLinkError(msg)
    return int(pid)


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Give the socket's address, by way of the folder's handle where the path is too long."""
    path = folder / NAME
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        yield str(path)
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
