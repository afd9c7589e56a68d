"""When a device is read, and how long a silent one is left alone. Pure.

Deadlines stand on the monotonic clock and are counted from the start, never from the last read, so
that they do not drift. Points with an interval of their own form groups; groups that fall due
together are read together.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge_runtime.driver import DeviceSettings

TOGETHER_S = 0.002
"""Groups due within this time of each other are read at once."""
MAX_PHASE_S = 5.0
"""Longest wait for the first read of a device with a long interval."""
RETRY_CAP_S = 60.0
LISTENING_CAP_S = 10.0
"""Of a device that reports by itself: what it says while nobody listens is lost."""
FIRST_RETRY_S = 1.0
GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, lie evenly whatever their number."""


@dataclass(slots=True)
class Group:
    """Points of one interval and when they are due next."""

    interval_s: float
    points: tuple[str, ...]
    due: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a device: what to read, and how it stands against its plan."""

    points: tuple[str, ...]
    late_s: float
    missed: int
    """Deadlines that had passed altogether."""


def groups_of(
    settings: DeviceSettings, start: float, only: Collection[str] | None = None
) -> list[Group]:
    """Group points (all, or only these) by their interval; all fall due first at ``start``."""
    intervals: dict[float, list[str]] = {}
    for point in settings.points:
        if only is not None and point.name not in only:
            continue
        own = settings.interval_s if point.interval_s is None else point.interval_s
        intervals.setdefault(own, []).append(point.name)
    return [Group(s, tuple(names), start) for s, names in sorted(intervals.items())]


def phase(index: int, interval_s: float) -> float:
    """Spread the first reads of devices over their interval."""
    return (index * GOLDEN % 1.0) * min(interval_s, MAX_PHASE_S)


def next_due(groups: Sequence[Group]) -> float:
    """Give the next deadline of a device."""
    return min(group.due for group in groups)


def take_turn(groups: Sequence[Group], now: float) -> Turn:
    """Collect what is due and move its deadlines on, past those that cannot be met any more."""
    points: list[str] = []
    late, missed = 0.0, 0
    for group in groups:
        if group.due > now + TOGETHER_S:
            continue
        points.extend(group.points)
        behind = max(0.0, now - group.due)
        skipped = int(behind / group.interval_s)
        group.due += (skipped + 1) * group.interval_s
        late, missed = max(late, behind), missed + skipped
    return Turn(tuple(points), late, missed)


def retry_delay(failures: int, rng: random.Random, cap_s: float = RETRY_CAP_S) -> float:
    """Wait at random up to 1 s, 2 s, 4 s … 60 s: full jitter, so that devices do not march."""
    ceiling = min(cap_s, FIRST_RETRY_S * 2.0 ** min(failures - 1, 16))
    return rng.uniform(0.1, 1.0) * ceiling
