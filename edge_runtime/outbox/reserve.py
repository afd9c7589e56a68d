"""Space kept back for the moment the disk is full.

SQLite needs space even to open a file or to delete from it. The reserve is a file that holds that
space and is given up first: for opening the outbox, and for events when no samples can give way.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from edge_runtime.durable import FILE_MODE

SPARE_FACTOR = 4
"""The reserve is made again when so many times its size is free."""


class Reserve:
    """A file of zeros that can be swapped for space."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def hold(self) -> None:
        """Take the space, where there is plenty; else leave it for another time."""
        with suppress(OSError):
            if self._path.exists() or shutil.disk_usage(self._path.parent).free < (
                SPARE_FACTOR * self._size
            ):
                return
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            try:
                os.posix_fallocate(handle, 0, self._size)
            finally:
                os.close(handle)

    def release(self) -> bool:
        """Give the space back; False where there is none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
