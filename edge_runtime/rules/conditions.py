"""The condition tree as closures: true, false, or unknown while a value cannot be trusted.

Unknown follows Kleene: ``all`` is false when one branch is false and unknown when none is false but
one is unknown. Nothing is raised and nothing is cleared on unknown, and time that passes in it does
not count towards a duration.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloud_sync.wire.samples import Value

Verdict = bool | None


@dataclass(slots=True)
class Memory:
    """What an evaluation reads and remembers. ``values`` holds trusted values only."""

    now_us: int
    values: dict[str, Value]
    latched: list[bool]
    """Of each comparison: whether it is true, for its hysteresis."""
    since_us: list[int | None]
    """Of each duration: since when its condition holds without a break."""
    held: list[bool]
    """Of each duration: whether it has held long enough."""


Evaluate = Callable[[Memory], Verdict]


def above(slot: int, point: str, limit: float, clear: float) -> Evaluate:
    """True from above ``limit`` until below ``clear``."""

    def evaluate(memory: Memory) -> Verdict:
        value = memory.values.get(point)
        if value is None or isinstance(value, str):
            return None
        on = value >= clear if memory.latched[slot] and clear < limit else value > limit
        memory.latched[slot] = on
        return on

    return evaluate


def below(slot: int, point: str, limit: float, clear: float) -> Evaluate:
    """True from below ``limit`` until above ``clear``."""

    def evaluate(memory: Memory) -> Verdict:
        value = memory.values.get(point)
        if value is None or isinstance(value, str):
            return None
        on = value <= clear if memory.latched[slot] and clear > limit else value < limit
        memory.latched[slot] = on
        return on

    return evaluate


def equals(point: str, wanted: Value) -> Evaluate:
    """True while the value is this one."""

    def evaluate(memory: Memory) -> Verdict:
        value = memory.values.get(point)
        return None if value is None else value == wanted

    return evaluate


def all_of(branches: Sequence[Evaluate]) -> Evaluate:
    """Every branch; all are evaluated, so that each keeps its memory."""

    def evaluate(memory: Memory) -> Verdict:
        verdicts = [branch(memory) for branch in branches]
        return False if False in verdicts else None if None in verdicts else True

    return evaluate


def any_of(branches: Sequence[Evaluate]) -> Evaluate:
    """One branch; all are evaluated, so that each keeps its memory."""

    def evaluate(memory: Memory) -> Verdict:
        verdicts = [branch(memory) for branch in branches]
        return True if True in verdicts else None if None in verdicts else False

    return evaluate


def negated(branch: Evaluate) -> Evaluate:
    """The opposite; unknown stays unknown."""

    def evaluate(memory: Memory) -> Verdict:
        verdict = branch(memory)
        return None if verdict is None else not verdict

    return evaluate


def held_for(slot: int, branch: Evaluate, hold_us: int) -> Evaluate:
    """True once the branch has been true for so long without a break."""

    def evaluate(memory: Memory) -> Verdict:
        verdict = branch(memory)
        if verdict is None:
            memory.since_us[slot] = None
            return None
        if not verdict:
            memory.since_us[slot], memory.held[slot] = None, False
            return False
        since, now = memory.since_us[slot], memory.now_us
        if since is None or since > now:
            memory.since_us[slot] = since = now
        if now - since >= hold_us:
            memory.held[slot] = True
        return memory.held[slot]

    return evaluate
