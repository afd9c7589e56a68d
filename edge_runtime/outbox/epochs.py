"""Epochs: which one an outbox has, and how it begins a new one."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Gap
from cloud_sync.wire.ranges import Ranges, difference, union
from edge_runtime.clock import Clock
from edge_runtime.errors import StoreError
from edge_runtime.outbox import folder as files
from edge_runtime.outbox import opening
from edge_runtime.outbox.chain import Chain
from edge_runtime.outbox.database import store_errors
from edge_runtime.outbox.folder import Account
from edge_runtime.outbox.gaps import GapReason, numbered_gaps, ranges_of
from edge_runtime.outbox.segment import Origin, Segment, path_of

log = logging.getLogger(__name__)


def adopt_epoch(folder: Path) -> str | None:
    """Read the epoch from the newest segment where the file with it is lost; None for a new folder.

    Segments of another epoch are then damaged ones.
    """
    for stream in Stream:
        for first in reversed(files.list_segments(folder, stream)):
            path = path_of(files.stream_path(folder, stream), first)
            try:
                segment = Segment.open_to_read(path, still=False)
            except StoreError:
                continue
            try:
                return segment.meta().epoch
            except StoreError:
                continue
            finally:
                segment.close()
    return None


def begin(root: Path, clock: Clock) -> tuple[Account, dict[Stream, Chain]]:
    """Begin a new epoch with empty streams.

    Raises:
        StoreError: the disk is full or failing.

    """
    account = Account(files.new_epoch(), {})
    with store_errors(root):
        files.write_account(root, account)
        files.write_epoch(root, account.epoch)
    return account, open_chains(root, account.epoch, account, clock)


def resume(root: Path, clock: Clock) -> tuple[Account, dict[Stream, Chain], list[Gap]]:
    """Go on with the epoch of a folder; begin one where there is none, or its numbers are lost.

    Raises:
        StoreError: the disk is full or failing.

    """
    epoch = files.read_epoch(root) or adopt_epoch(root)
    if epoch is None:
        return (*begin(root, clock), [])
    account = files.read_account(root, epoch)
    try:
        chains = open_chains(root, epoch, account, clock)
    except opening.NumbersUnknownError:
        log.error("numbers cannot be known, a new epoch begins", extra={"epoch": epoch})  # noqa: TRY400 - says it all
        origins = {stream: opening.last_origins(root, stream) for stream in Stream}
        gaps = retire(root, epoch, account, clock)
        account, chains = begin(root, clock)
        adopt_origins(chains, origins)
        return account, chains, gaps
    if files.read_epoch(root) != epoch:
        with store_errors(root):
            files.write_epoch(root, epoch)
    return account or guess_account(epoch, chains), chains, []


def adopt_origins(
    chains: Mapping[Stream, Chain], origins: Mapping[Stream, Mapping[str, Origin]]
) -> None:
    """Go on with what adapters handed over before the chains were opened.

    Raises:
        StoreError: it could not be noted; the chains are closed.

    """
    try:
        for stream, chain in chains.items():
            chain.adopt(origins[stream])
    except StoreError:
        for chain in chains.values():
            chain.close()
        raise


def open_chains(
    root: Path, epoch: str, account: Account | None, clock: Clock
) -> dict[Stream, Chain]:
    """Open both streams, or neither.

    Raises:
        NumbersUnknownError: the next number of one of them cannot be known.
        StoreError: the disk is full or failing.

    """
    chains: dict[Stream, Chain] = {}
    try:
        for stream in Stream:
            own = account.of(stream) if account else None
            chains[stream] = opening.open_chain(root, stream, epoch, own, clock.wall_us())
    except BaseException:
        for chain in chains.values():
            chain.close()
        raise
    return chains


def guess_account(epoch: str, chains: Mapping[Stream, Chain]) -> Account:
    """Begin a lost account anew: what is below the oldest segment was sent, most likely.

    ``verify`` shows what was not.
    """
    account = Account(epoch, {})
    for stream, chain in chains.items():
        oldest = chain.numbers()[:1]
        below: Ranges = ((1, oldest[0][0]),) if oldest and oldest[0][0] > 1 else ()
        account = account.with_pruned(stream, below, 0).with_unknown_items(stream)
    return account


def retire(
    root: Path, epoch: str, account: Account | None, clock: Clock, told: Sequence[Gap] = ()
) -> list[Gap]:
    """Move all segments of an epoch into quarantine; give what was not accounted for as gaps.

    ``told`` are gaps that wait to be declared already; their numbers are not given again.
    """
    gaps: list[Gap] = []
    for stream in Stream:
        own = account.of(stream) if account else None
        firsts = files.list_segments(root, stream)
        for first in firsts:
            path = path_of(files.stream_path(root, stream), first)
            opening.quarantine(root, path, clock.wall_us())
        high = max([own.reserved if own else 1, *(first + 1 for first in firsts)])
        used: Ranges = ((min(firsts, default=high), high),) if firsts else ()
        gone = union(account.gone(stream) if account else (), ranges_of(told, stream, epoch))
        gaps += numbered_gaps(stream, epoch, difference(used, gone), GapReason.EPOCH)
    return gaps
