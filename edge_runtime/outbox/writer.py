"""The runtime's side of the outbox: append, prune, scrub; all blocking work in one own thread."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from cloud_sync.wire.batch import Batch, Stream
from cloud_sync.wire.events import Event
from cloud_sync.wire.ranges import Ranges, of_numbers
from cloud_sync.wire.samples import Sample
from edge_runtime.clock import Clock
from edge_runtime.outbox.committed import Appended, Committed, Stamp
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.outbox.store import Acknowledged, Store

P = ParamSpec("P")
R = TypeVar("R")


class Outbox:
    """An open outbox. Calls are done one after the other, in the order they were made."""

    def __init__(self, store: Store, thread: ThreadPoolExecutor) -> None:
        self._store = store
        self._thread = thread

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, settings: OutboxSettings, clock: Clock
    ) -> AsyncIterator["Outbox"]:
        """Open the outbox in a folder, or make one, and repair what a crash or damage left.

        Raises:
            StoreError: the disk is full or failing.

        """
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox") as thread:
            loop = asyncio.get_running_loop()
            store = await loop.run_in_executor(thread, Store.open, folder, settings, clock)
            try:
                yield cls(store, thread)
            finally:
                await loop.run_in_executor(thread, store.close)

    @property
    def epoch(self) -> str:
        """The epoch that new batches get."""
        return self._store.epoch

    async def append_samples(
        self, samples: Sequence[Sample], stamp: Stamp | None = None
    ) -> Appended:
        """Seal samples into a batch and commit it; several where they do not fit into one.

        Raises:
            StoreError: the disk is full or failing; none of them was written.

        """
        return await self._run(self._store.append_samples, samples, stamp)

    async def append_events(self, events: Sequence[Event], stamp: Stamp | None = None) -> Appended:
        """Seal events into a batch and commit it; several where they do not fit into one.

        Raises:
            StoreError: the disk is full or failing; none of them was written.

        """
        return await self._run(self._store.append_events, events, stamp)

    async def take(self, name: str, batch: Batch) -> Committed | None:
        """Commit a batch that the adapter ``name`` handed over, once; None where it is here already.

        Raises:
            StoreError: the disk is full or failing; it was not written.
            WireError: the payload cannot be read.

        """
        return await self._run(self._store.take, name, batch)

    async def taken(self, name: str, epoch: str) -> dict[Stream, int]:
        """Give the last number of each stream of an adapter's epoch that was taken."""
        return await self._run(self._store.taken, name, epoch)

    async def drop(self, stream: Stream, count: int) -> None:
        """Tell that items were given up before they had a number; becomes a gap event."""
        await self._run(self._store.drop, stream, count)

    async def prune(self, acknowledged: Acknowledged) -> int:
        """Remove the segments that the cloud has altogether; gives how many.

        Raises:
            StoreError: the disk is full or failing.

        """
        return await self._run(self._store.prune, acknowledged)

    async def condemn(self, stream: Stream, numbers: Sequence[int]) -> None:
        """Give up stored batches that do not verify; they become a gap event.

        Raises:
            StoreError: the disk is full or failing.

        """
        lost: Ranges = of_numbers(numbers)
        await self._run(self._store.condemn, stream, lost)

    async def scrub(self, limit: int = 50) -> list[tuple[Stream, int]]:
        """Verify the next ``limit`` stored batches of each stream; gives the damaged ones.

        Raises:
            StoreError: the disk is full or failing.

        """
        return await self._run(self._store.scrub, limit)

    async def size(self) -> int:
        """Bytes on disk."""
        return await self._run(self._store.size)

    async def _run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, lambda: call(*args, **kwargs))
        return await asyncio.shield(work)
