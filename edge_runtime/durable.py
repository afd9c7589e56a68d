"""Files that matter: written beside, flushed, renamed, and the folder flushed too.

After ``write_file`` returned, a power cut leaves the new content; before it, the old one. There is
no moment with half of either.
"""

import os
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_folder(path: Path) -> None:
    """Make a folder that only its owner can read, and make its name durable."""
    if path.is_dir():
        return
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    flush_folder(path.parent)


def write_file(path: Path, data: bytes, *, mode: int = FILE_MODE) -> None:
    """Replace a file's content durably.

    Raises:
        OSError: the disk is full or failing; the old content is still there.

    """
    beside = path.with_name(f".{path.name}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Make names in a folder durable: created, renamed and removed ones."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
