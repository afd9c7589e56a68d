"""What lies where in the outbox's folder, and the two small files beside the segments."""

import secrets
from pathlib import Path

import msgspec

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import Ranges, parse, render, union
from edge_runtime.durable import write_file
from edge_runtime.outbox.segment import first_of

EPOCH_CHARS = 16
QUARANTINE = "quarantine"


class StreamAccount(msgspec.Struct, frozen=True):
    """Numbers of one stream that are no longer in a segment, as PostgreSQL writes multiranges."""

    pruned: str = "{}"
    """Acknowledged by the cloud and removed."""
    lost: str = "{}"
    """Never to be sent, and declared so by a gap event."""
    reserved: int = 1
    """Numbers from here on were never given to a batch."""
    pruned_items: int | None = 0
    """Samples or events in the pruned batches; None where the account itself was lost once."""


class Account(msgspec.Struct, frozen=True):
    """``account.json``: how every number that is not in a segment left the outbox."""

    epoch: str
    streams: dict[str, StreamAccount]

    def of(self, stream: str) -> StreamAccount:
        """Give the account of a stream; an empty one at first."""
        return self.streams.get(stream) or StreamAccount()

    def gone(self, stream: str) -> Ranges:
        """Give all numbers that left, for either reason."""
        account = self.of(stream)
        return union(parse(account.pruned), parse(account.lost))

    def with_pruned(self, stream: str, numbers: Ranges, items: int | None) -> "Account":
        """Note numbers as sent, acknowledged and removed; with None it is unknown how much."""
        old = self.of(stream)
        known = old.pruned_items
        return self._with(
            stream,
            pruned=render(union(parse(old.pruned), numbers)),
            pruned_items=None if known is None or items is None else known + items,
        )

    def with_lost(self, stream: str, numbers: Ranges) -> "Account":
        """Note numbers as lost and declared."""
        return self._with(stream, lost=render(union(parse(self.of(stream).lost), numbers)))

    def with_reserved(self, stream: str, reserved: int) -> "Account":
        """Note the first number that was surely never used."""
        return self._with(stream, reserved=reserved)

    def with_unknown_items(self, stream: str) -> "Account":
        """Note that nobody knows any more how much was in the pruned batches."""
        return self._with(stream, pruned_items=None)

    def _with(self, stream: str, **changes: str | int | None) -> "Account":
        changed = msgspec.structs.replace(self.of(stream), **changes)
        return Account(self.epoch, {**self.streams, stream: changed})


_account = msgspec.json.Decoder(Account)


def epoch_path(folder: Path) -> Path:
    """Name the file with the epoch."""
    return folder / "epoch"


def account_path(folder: Path) -> Path:
    """Name the file with the account."""
    return folder / "account.json"


def stream_path(folder: Path, stream: str) -> Path:
    """Name the folder of a stream's segments; only known streams have one."""
    return folder / Stream(stream).value


def new_epoch() -> str:
    """Draw a random epoch."""
    return secrets.token_hex(EPOCH_CHARS // 2)


def read_epoch(folder: Path) -> str | None:
    """Read the epoch, None where there is none or it is damaged."""
    try:
        text = epoch_path(folder).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if len(text) == EPOCH_CHARS and set(text) <= set("0123456789abcdef") else None


def write_epoch(folder: Path, epoch: str) -> None:
    """Store the epoch durably."""
    write_file(epoch_path(folder), epoch.encode() + b"\n")


def read_account(folder: Path, epoch: str) -> Account | None:
    """Read the account of an epoch, None where there is none, or it is damaged or of another."""
    try:
        account = _account.decode(account_path(folder).read_bytes())
        for stream in account.streams:
            account.gone(stream)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
    return account if account.epoch == epoch else None


def write_account(folder: Path, account: Account) -> None:
    """Store the account durably."""
    write_file(account_path(folder), msgspec.json.encode(account))


def list_segments(folder: Path, stream: str) -> list[int]:
    """List the first numbers of a stream's segments, ascending; none where there is no folder."""
    try:
        names = [entry.name for entry in stream_path(folder, stream).iterdir()]
    except FileNotFoundError:
        return []
    return sorted(first for name in names if (first := first_of(name)) is not None)
