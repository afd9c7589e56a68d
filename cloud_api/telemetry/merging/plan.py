"""Which chunks of one point and hour to join. Pure: sizes in, ranges out.

While an hour runs, its small chunks are joined when ``SMALL_CHUNKS`` of them lie there (tier 1).
Once it is over and nothing has come for a while, all of it is joined (tier 2). Late data joins what
is there already only if that at least doubles it, so hours stay few chunks without being written
again for every late sample. A sample is written, after its arrival:

- live: twice, once a tier;
- as part of a backlog: once;
- late by itself into an hour of n samples: at most log2(n) times more, for each writing doubles the
  chunk that it is in; the hour has at most log2(n) chunks then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

SMALL_CHUNKS = 60
"""As many one-sample chunks as a point read each second leaves in a minute."""
MAX_WEIGHT = 50_000
"""Of a joined chunk, in samples; fifteen a second for an hour. What is heavier stays apart."""
ARRIVED, JOINED, WHOLE = 0, 1, 2
"""Tiers of chunks."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk, as far as the plan needs it."""

    first: datetime
    count: int
    weight: int
    """Samples, and what their texts take up."""
    tier: int


@dataclass(frozen=True, slots=True)
class Join:
    """Chunks of one point to replace by one: those that begin in [low, high].

    Of them the ones below the tier, and those of the tier that hold at most ``largest`` samples.
    """

    low: datetime
    high: datetime
    tier: int
    largest: int
    weight: int


def plan_joins(pieces: Sequence[Piece], *, over: bool) -> list[Join]:
    """Decide what to join in one hour of one point; ``over``: nothing more is expected of it."""
    tier = WHOLE if over else JOINED
    loose = [piece for piece in pieces if piece.tier < tier]
    whole = [p for p in pieces if over and p.tier == WHOLE and p.weight <= MAX_WEIGHT // 2]
    largest = largest_doubled(sum(p.count for p in loose), [p.count for p in whole])
    members = [*loose, *(piece for piece in whole if piece.count <= largest)]
    return [
        Join(run[0].first, run[-1].first, tier, largest, sum(p.weight for p in run))
        for run in _runs(sorted(members, key=lambda piece: piece.first))
        if any(piece.tier < tier for piece in run)
    ]


def largest_doubled(arrived: int, counts: Iterable[int]) -> int:
    """Find the largest chunk that is no larger than all that is smaller, 0 if there is none."""
    found, smaller = 0, arrived
    for count in sorted(counts):
        if count <= smaller:
            found = count
        smaller += count
    return found


def _runs(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Cut where a joined chunk would become too heavy."""
    run: list[Piece] = []
    weight = 0
    for piece in pieces:
        if run and weight + piece.weight > MAX_WEIGHT:
            yield run
            run, weight = [], 0
        run.append(piece)
        weight += piece.weight
    if run:
        yield run
