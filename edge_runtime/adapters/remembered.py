"""What an adapter remembers as taken: ``acknowledged.json`` in its folder.

The runtime's own note is the truth. This one is older by some seconds at most and serves when that
one is lost with a damaged disk: then a few batches may arrive twice, not a whole segment of them.
"""

from pathlib import Path

import msgspec

from edge_runtime.durable import write_file


class Remembered(msgspec.Struct, frozen=True):
    """By stream, the last number of the epoch that the runtime took."""

    epoch: str
    taken: dict[str, int] = {}

    def of(self, epoch: str) -> dict[str, int]:
        """Give the numbers of an epoch; none of another one."""
        return dict(self.taken) if epoch == self.epoch else {}


def load(path: Path) -> Remembered:
    """Read the file; nothing where it is not there or cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Remembered)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Remembered("")


def save(path: Path, remembered: Remembered) -> None:
    """Write the file durably.

    Raises:
        OSError: the disk is full or failing; the old one is still there.

    """
    write_file(path, msgspec.json.encode(remembered))
