"""What the gateway accepted beside what the cloud has: the account that must balance.

The gateway's side is counted in its own files, the cloud's in its tables; neither is asked for an
opinion of the other.
"""

import asyncio
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.ranges import difference
from edge_runtime.host.context import Folders
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.outbox.reader import OutboxReader

_SAMPLES = "SELECT count(*), count(DISTINCT (point_id, time)) FROM tidegate.sample"
_LOST = "SELECT coalesce(sum(count), 0)::bigint FROM tidegate.gap WHERE stream = 'samples'"


@dataclass(frozen=True, slots=True)
class Account:
    """Samples of a site on both ends, when nothing is on its way any more."""

    accepted: int
    """Samples that the gateway committed to its outbox."""
    arrived: int
    """Samples in the cloud, as many times as they are there."""
    distinct: int
    """Different pairs of point and time in the cloud."""
    lost: int
    """Samples that the gateway declared lost by a numbered gap."""

    @property
    def missing(self) -> int:
        """Samples that were accepted, are not in the cloud, and are in no gap."""
        return max(0, self.accepted - self.lost - self.distinct)

    @property
    def duplicate(self) -> int:
        """Samples that are in the cloud more than once."""
        return self.arrived - self.distinct


async def balance(state_dir: Path, dsn: str) -> Account:
    """Count both ends of a site that has one gateway.

    Raises:
        ValueError: the gateway's own books do not say how many samples it accepted.

    """
    accepted = await asyncio.to_thread(count_accepted, state_dir)
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        arrived, distinct = await (await db.execute(_SAMPLES)).fetchone() or (0, 0)
        (lost,) = await (await db.execute(_LOST)).fetchone() or (0,)
    return Account(accepted, arrived, distinct, lost)


def count_accepted(state_dir: Path) -> int:
    """Count the samples that an outbox ever committed.

    Raises:
        ValueError: its books do not know.

    """
    with closing(OutboxReader(Folders(state_dir).outbox)) as outbox:
        books = outbox.books(Stream.SAMPLES)
        if books.pruned_items is None:
            msg = f"the outbox in {state_dir} does not know how many samples it pruned"
            raise ValueError(msg)
        return books.pruned_items + outbox.weigh(Stream.SAMPLES, books.stored).samples


def waiting(state_dir: Path) -> int:
    """Count the batches of both streams that the cloud has not acknowledged."""
    folders = Folders(state_dir)
    with (
        closing(OutboxReader(folders.outbox)) as outbox,
        closing(InboxReader(folders.inbox)) as inbox,
    ):
        epoch, acknowledged = outbox.epoch(), inbox.acknowledged()
        return sum(
            outbox.weigh(stream, difference(outbox.stored(stream), known)).batches
            for stream in Stream
            for known in [acknowledged.get((stream.value, epoch), ())]
        )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Give the nearest-rank percentile, None of no values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
