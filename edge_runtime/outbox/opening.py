"""Opening an outbox that may have been through anything: power cuts, bit rot, deleted files.

A segment that does not verify is put into quarantine; what can still be read of it and matches its
SHA-256 stays. Opening never fails because of what is in the files, only because the disk does.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.errors import WireError
from cloud_sync.wire.ranges import parse, union
from edge_runtime.durable import flush_folder, make_folder
from edge_runtime.errors import StoreDamagedError, StoreError
from edge_runtime.outbox import segment as segments
from edge_runtime.outbox.chain import Chain, Closed
from edge_runtime.outbox.database import store_errors
from edge_runtime.outbox.folder import QUARANTINE, StreamAccount, list_segments, stream_path
from edge_runtime.outbox.segment import Meta, Origin, Row, Segment, Total

RESERVE_STEP = 64
"""Numbers reserved at a time: at most so many are skipped when the newest segment is damaged."""

ORIGIN_SEGMENTS = 3
"""Newest segments that are asked what adapters handed over, until one can tell."""

log = logging.getLogger(__name__)


class NumbersUnknownError(StoreError):
    """It cannot be told which numbers were used already; the outbox needs a new epoch."""


def open_chain(
    root: Path, stream: Stream, epoch: str, account: StreamAccount | None, now_us: int
) -> Chain:
    """Open the segments of one stream and find its next number.

    Raises:
        NumbersUnknownError: neither the newest segment nor the account tells the next number.
        StoreError: the disk is full or failing.

    """
    folder = stream_path(root, stream)
    with store_errors(folder):
        make_folder(folder)
    firsts = list_segments(root, stream)
    closed: list[Closed] = []
    for first, follower in pairwise(firsts):
        found = _open_closed(root, Meta(stream, epoch, first), follower, now_us)
        if found is not None:
            closed.append(found)
    newest = Meta(stream, epoch, firsts[-1]) if firsts else None
    active = _open_active(root, newest, now_us) if newest else None
    origins = last_origins(root, stream)
    if newest is None or active is None:
        return _begin(folder, Meta(stream, epoch, 0), closed, account, now_us, origins=origins)
    with segments.closed_on_error(active):
        last = active.last()
        next_seq = max(newest.first if last is None else last + 1, _beyond(account))
        sure = account is None or next_seq >= account.reserved - RESERVE_STEP
        if sure and active.total(newest.first) is None:
            return Chain(
                folder, stream, epoch,
                closed=closed, active=active, active_first=newest.first, next_seq=next_seq,
                origins=origins,
            )  # fmt: skip
    closed.append(_close(active, newest.first))
    return _begin(folder, Meta(stream, epoch, 0), closed, account, now_us, origins=origins)


def last_origins(root: Path, stream: Stream) -> dict[str, Origin]:
    """Read what other outboxes handed over last: the newest segment knows, while it can be read.

    After damage the one before knows almost as much; the adapter's own memory fills the rest.
    """
    for first in reversed(list_segments(root, stream)[-ORIGIN_SEGMENTS:]):
        path = segments.path_of(stream_path(root, stream), first)
        try:
            segment = Segment.open_to_read(path, still=False)
        except StoreError:
            continue
        try:
            found = segment.origins()
        except StoreError:
            continue
        finally:
            segment.close()
        if found:
            return found
    return {}


def _begin(
    folder: Path,
    meta: Meta,
    closed: list[Closed],
    account: StreamAccount | None,
    now_us: int,
    *,
    origins: Mapping[str, Origin],
) -> Chain:
    """Begin a segment where the newest one is not there: at the first number surely not used."""
    if account is None:
        raise NumbersUnknownError
    first = max([account.reserved, _beyond(account), *(c.total.last + 1 for c in closed)])
    path = segments.path_of(folder, first)
    active = Segment.create(path, meta._replace(first=first), now_us, origins.values())
    with segments.closed_on_error(active):
        return Chain(
            folder, Stream(meta.stream), meta.epoch,
            closed=closed, active=active, active_first=first, next_seq=first, origins=origins,
        )  # fmt: skip


def _beyond(account: StreamAccount | None) -> int:
    """Give the number after the highest that left: one that was given up has no batch."""
    gone = union(parse(account.pruned), parse(account.lost)) if account else ()
    return gone[-1][1] if gone else 1


def _open_active(root: Path, meta: Meta, now_us: int) -> Segment | None:
    """Open the newest segment to write on; None where nothing of it can be trusted to be last."""
    path = segments.path_of(stream_path(root, meta.stream), meta.first)
    try:
        segment = Segment.open(path)
        with segments.closed_on_error(segment):
            segment.check(meta)
    except StoreDamagedError as exc:
        return _replace_newest(root, meta, now_us, exc)
    return segment


def _replace_newest(root: Path, meta: Meta, now_us: int, why: StoreDamagedError) -> Segment | None:
    """Rescue what verifies, closed: that it holds the last number cannot be known."""
    if not rescue(root, meta, now_us, why):
        return None
    segment = Segment.open(segments.path_of(stream_path(root, meta.stream), meta.first))
    with segments.closed_on_error(segment):
        segment.finish(meta.first)
    return segment


def _open_closed(root: Path, meta: Meta, follower: int, now_us: int) -> Closed | None:
    """Read a closed segment's totals; rescue it where they cannot be read."""
    path = segments.path_of(stream_path(root, meta.stream), meta.first)
    try:
        return _read_closed(path, meta, follower)
    except StoreDamagedError as exc:
        return _read_closed(path, meta, follower) if rescue(root, meta, now_us, exc) else None
    except StoreError as exc:
        log.warning("segment cannot be read now", extra={"path": str(path), "error": str(exc)})
        size = segments.size_on_disk(path)
        return Closed(meta.first, Total(follower - 1, follower - meta.first, 0, None, None), size)


def _read_closed(path: Path, meta: Meta, follower: int) -> Closed:
    segment = Segment.open_to_read(path, still=segments.is_still(path))
    try:
        if segment.meta() != meta:
            msg = f"{path} holds {segment.meta()}, not {meta}"
            raise StoreDamagedError(msg)
        total = segment.total(meta.first, follower)
    finally:
        segment.close()
    if total is None:
        return _close(Segment.open(path), meta.first)
    return Closed(meta.first, total, segments.size_on_disk(path))


def _close(segment: Segment, first: int) -> Closed:
    """Finish a segment that a crash, or a damaged successor, left open."""
    try:
        segment.finish(first)
        total = segment.total(first) or Total(first - 1, 0, 0, None, None)
    finally:
        segment.close()
    return Closed(first, total, segments.size_on_disk(segment.path))


def rescue(root: Path, meta: Meta, now_us: int, why: StoreDamagedError) -> bool:
    """Move a damaged segment into quarantine and leave what verifies of it in its place."""
    path = segments.path_of(stream_path(root, meta.stream), meta.first)
    rows, origins = _verified(path, meta)
    beside = path.with_name(f"{path.name}.rescue")
    segments.remove(beside)
    if rows:
        rescued = Segment.create(beside, meta, now_us, origins)
        try:
            rescued.add_all(rows)
            rescued.finish(meta.first)
        finally:
            rescued.close()
    quarantine(root, path, now_us)
    if rows:
        with store_errors(path):
            beside.replace(path)
            flush_folder(path.parent)
    log.error(
        "segment damaged, moved into quarantine",
        extra={"path": str(path), "rescued": len(rows), "error": str(why)},
    )
    return bool(rows)


def quarantine(root: Path, path: Path, now_us: int) -> None:
    """Move a segment and its side files out of the way, for people to look at.

    Raises:
        StoreError: the file system refuses.

    """
    cellar = root / QUARANTINE
    with store_errors(path):
        make_folder(cellar)
        name = f"{path.parent.name}-{path.stem}-{now_us}{segments.SUFFIX}"
        for side in ("", *segments.SIDE_FILES):
            source = path.with_name(path.name + side)
            if source.exists():
                os.replace(source, cellar / (name + side))  # noqa: PTH105 - reads as a move
        flush_folder(cellar)
        flush_folder(path.parent)


def _verified(path: Path, meta: Meta) -> tuple[list[Row], list[Origin]]:
    """Read the batches of a damaged segment that match their hash and belong here, and its origins."""
    try:
        segment = Segment.open_to_read(path, still=False)
    except StoreError:
        return [], []
    origins: list[Origin] = []
    try:
        with suppress(StoreError):
            origins = list(segment.origins().values())
        return sorted(_checked(segment.salvage(), meta).values()), origins
    finally:
        segment.close()


def _checked(messages: Iterable[bytes], meta: Meta) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    for message in messages:
        try:
            batch = open_batch(message)
        except WireError:
            continue
        if (batch.stream, batch.epoch) == (meta.stream, meta.epoch) and batch.seq >= meta.first:
            rows[batch.seq] = Row(batch.seq, batch.count, batch.first_us, batch.last_us, message)
    return rows
