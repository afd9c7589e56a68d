"""Subscriptions of one device and what is due with them; pure, without I/O and clock.

A subscription ends by itself after its lifetime (13.14), is renewed at half of it, and is what a
device forgets when it restarts. So that a forgotten one is found sooner, values are read along the
way: one that moved further than it should have without a report has its subscription renewed at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from components.bacnet import limits
from components.bacnet.kinds import object_type
from components.bacnet.messages import Ref, Subscription
from components.bacnet.settings import Point, Settings, is_value, ref_of, reports
from components.bacnet.values import Kind
from edge_runtime.model import Value

REFUSED_AGAIN_S = 600.0
"""What the device refused is asked for again so often: another subscriber may have left."""
RENEWED_AT = 0.5
"""Part of the lifetime after which a subscription is renewed."""


@dataclass
class Watched:
    """One property that the device is asked to report."""

    ref: Ref
    points: tuple[Point, ...]
    process: int
    increment: float | None = None
    """What is asked for; None leaves it to the device."""
    due: float = 0.0
    """When to subscribe, or to renew."""
    active: bool = False
    refused: bool = False
    device_increment: float | None = None
    """How far the device lets the value move before it reports; None: not known."""
    last: Value | None = None
    """The value that was last heard, or read."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its points."""
        return tuple(point.name for point in self.points)

    def missed(self, value: Value | None) -> bool:
        """Tell whether a value that was read should have been reported by now."""
        if value is None or self.last is None or value == self.last:
            return False
        if object_type(self.ref.object[0]).kind not in {Kind.REAL, Kind.DOUBLE}:
            return True
        if isinstance(value, str) or isinstance(self.last, str):
            return False
        increment = self.increment or self.device_increment
        return increment is not None and abs(value - self.last) > 2 * increment


class Turn(NamedTuple):
    """What to do next."""

    watched: Watched | None
    """Subscribe or renew this; None: look whether the device lives."""


@dataclass
class Book:
    """All subscriptions of a device."""

    settings: Settings
    watched: Sequence[Watched] = ()
    _next_look: float = 0.0
    _looked: int = 0
    _by_process: dict[int, Watched] = field(default_factory=dict)
    _by_ref: dict[Ref, list[Watched]] = field(default_factory=dict)
    _due: list[tuple[float, int]] = field(default_factory=list)
    """Heap of when and which; entries that are not true any more are skipped."""
    _open: set[int] = field(default_factory=set)
    """What the device was not asked for yet."""

    def __post_init__(self) -> None:
        self._by_process = {watched.process: watched for watched in self.watched}
        for watched in self.watched:
            self._by_ref.setdefault(watched.ref, []).append(watched)
        self._open = set(self._by_process)
        self._due = [(watched.due, watched.process) for watched in self.watched]
        heapify(self._due)

    def by_process(self, process: int) -> Watched | None:
        """Find a subscription by what its reports carry."""
        return self._by_process.get(process)

    def of(self, ref: Ref) -> Sequence[Watched]:
        """Find subscriptions of a property."""
        return self._by_ref.get(ref, ())

    def begin(self, now: float) -> None:
        """Start: everything is to be subscribed, the first look is due later."""
        self._next_look = now + self.settings.confirm_s

    def next_turn(self, now: float) -> Turn | None:
        """Give what is due now; looking comes before renewing."""
        if now >= self._next_look:
            return Turn(None)
        first = self._first()
        return Turn(first) if first is not None and first.due <= now else None

    def _first(self) -> Watched | None:
        while self._due:
            due, process = self._due[0]
            watched = self._by_process[process]
            if watched.due == due:
                return watched
            heappop(self._due)
        return None

    def set_due(self, watched: Watched, at: float) -> None:
        """Say when it is to be subscribed or renewed."""
        watched.due = at
        heappush(self._due, (at, watched.process))

    def wait_s(self, now: float) -> float:
        """Give how long nothing is due."""
        first = self._first()
        due = self._next_look if first is None else min(first.due, self._next_look)
        return max(0.0, due - now)

    def subscription(self, watched: Watched) -> Subscription:
        """Make the request of one."""
        return Subscription(
            watched.process,
            watched.ref,
            self.settings.cov_confirmed,
            self.settings.cov_lifetime_s,
            watched.increment,
        )

    def accepted(self, watched: Watched, now: float) -> None:
        """Note that the device will report it."""
        watched.active, watched.refused = True, False
        self._open.discard(watched.process)
        self.set_due(watched, now + RENEWED_AT * self.settings.cov_lifetime_s)

    def was_refused(self, watched: Watched, now: float) -> None:
        """Note that the device will not; without an increment of our own it may."""
        watched.active = False
        if watched.increment is not None and is_value(watched.ref):
            watched.increment = None
            return
        watched.refused = True
        self._open.discard(watched.process)
        self.set_due(watched, now + REFUSED_AGAIN_S)

    def all_due(self, now: float) -> None:
        """Subscribe everything anew."""
        for watched in self.watched:
            self.set_due(watched, now)

    def looked(self, now: float) -> None:
        """Note that the device lives."""
        self._next_look = now + self.settings.confirm_s

    def to_look_at(self, count: int) -> list[Watched]:
        """Give the next subscriptions whose values are read to see whether a report is missing."""
        active = self.active
        if not active:
            return []
        start = self._looked % len(active)
        chosen = (active[start:] + active[:start])[:count]
        self._looked = start + len(chosen)
        return chosen

    @property
    def active(self) -> list[Watched]:
        """What the device reports."""
        return [watched for watched in self.watched if watched.active]

    @property
    def settled(self) -> bool:
        """Whether the device was asked for everything."""
        return not self._open


def watched_of(points: Iterable[Point], processes: Iterable[int]) -> list[Watched]:
    """List what to subscribe for these points; points of the same property share it."""
    groups: dict[tuple[Ref, float | None], list[Point]] = {}
    for point in points:
        if reports(point):
            groups.setdefault((ref_of(point), point.cov_increment), []).append(point)
    return [
        Watched(ref, tuple(group), process, increment)
        for ((ref, increment), group), process in zip(groups.items(), processes, strict=False)
    ]


def increments_of(watched: Iterable[Watched]) -> list[Ref]:
    """List the increments of the device that are worth knowing."""
    return [
        Ref(w.ref.object, limits.COV_INCREMENT)
        for w in watched
        if is_value(w.ref) and object_type(w.ref.object[0]).kind in {Kind.REAL, Kind.DOUBLE}
    ]
