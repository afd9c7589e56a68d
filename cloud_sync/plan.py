"""What goes into the next upload, and in which order. Pure.

Events first, because they are few and may be alarms. Then what was committed since the last upload,
the newest first, so that the cloud shows the present. Then the backlog, oldest first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from cloud_sync.wire.ranges import Ranges

MAX_BATCHES = 32
"""Batches in one upload: half of what the wire allows keeps the cloud's transaction short."""


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """Numbers of batches in the order in which they get the room."""

    events: tuple[int, ...] = ()
    newest: tuple[int, ...] = ()
    backlog: tuple[int, ...] = ()

    @property
    def samples(self) -> tuple[int, ...]:
        """Batches of samples in the order in which they get the room."""
        return self.newest + self.backlog


def plan_upload(
    events: Ranges, samples: Ranges, *, mark: int, max_batches: int = MAX_BATCHES
) -> UploadPlan:
    """Choose from what is pending; ``mark`` is the first number that the last plan did not know.

    Events take at most half of the places, so that a flood of them cannot hide the present.
    """
    alarms = tuple(islice(ascending(events), max(1, max_batches // 2)))
    room = max_batches - len(alarms)
    newest = tuple(islice(_descending(samples, mark), room))
    oldest = islice(ascending(samples), room - len(newest))
    taken = min(newest, default=None)
    backlog = tuple(n for n in oldest if taken is None or n < taken)
    return UploadPlan(alarms, newest, backlog)


def ascending(ranges: Ranges) -> Iterator[int]:
    """Count through a set of numbers from its lowest."""
    for low, high in ranges:
        yield from range(low, high)


def _descending(ranges: Ranges, mark: int) -> Iterator[int]:
    for low, high in reversed(ranges):
        if high <= mark:
            return
        yield from range(high - 1, max(low, mark) - 1, -1)


def end_of(ranges: Ranges) -> int:
    """Give the first number above all of the set, 1 for the empty set."""
    return ranges[-1][1] if ranges else 1
