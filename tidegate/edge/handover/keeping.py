"""The folder ``commissioning`` of the gateway's state: how far the checks are, and a key.

progress.json    every check so far, replaced durably after each: a battery may die
key.pem          signs reports while the gateway has no identity of its own (0600)
"""

from pathlib import Path

import msgspec

from edge_runtime.durable import make_folder, write_file
from edge_runtime.errors import StoreDamagedError
from tidegate.edge.handover.checks import Progress

FOLDER = "commissioning"
PROGRESS = "progress.json"
MAX_BYTES = 64 << 20


def load_progress(state_dir: Path, gateway: str, now_us: int) -> Progress:
    """Read how far the checks are; a fresh start where there is nothing, or of another gateway.

    Raises:
        StoreDamagedError: the file is none of ours.

    """
    path = state_dir / FOLDER / PROGRESS
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Progress(gateway, now_us)
    try:
        known = msgspec.json.decode(data[:MAX_BYTES], type=Progress)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        msg = f"{path} cannot be read: {exc}"
        raise StoreDamagedError(msg, hint="start again with --restart") from exc
    return known if known.gateway == gateway else Progress(gateway, now_us)


def save_progress(state_dir: Path, progress: Progress) -> None:
    """Keep how far the checks are.

    Raises:
        OSError: the disk is full or failing; the checks before this one are kept.

    """
    make_folder(state_dir)
    make_folder(state_dir / FOLDER)
    write_file(state_dir / FOLDER / PROGRESS, msgspec.json.encode(progress))
