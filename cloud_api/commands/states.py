"""The states of a command, and which step leads where.

queued → sent → acknowledged → succeeded / failed / expired
"""

from enum import StrEnum


class State(StrEnum):
    """How far a command has come."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


class Step(StrEnum):
    """What happened to a command."""

    SEND = "send"
    ACKNOWLEDGE = "acknowledge"
    """The gateway has it on disk."""
    LAPSE = "lapse"
    """Its time ran out before the gateway said that it has it."""
    SUCCEED = "succeed"
    FAIL = "fail"
    EXPIRE = "expire"
    """The gateway says that its time had run out."""


_WAITING = frozenset({State.QUEUED, State.SENT})
_OPEN = _WAITING | {State.ACKNOWLEDGED}
_NOT_TOLD = _OPEN | {State.EXPIRED}
"""The gateway's own word ends a command, also one that the cloud had given up."""

_STEPS: dict[Step, tuple[frozenset[State], State]] = {
    Step.SEND: (frozenset({State.QUEUED}), State.SENT),
    Step.ACKNOWLEDGE: (_WAITING, State.ACKNOWLEDGED),
    Step.LAPSE: (_WAITING, State.EXPIRED),
    Step.SUCCEED: (_NOT_TOLD, State.SUCCEEDED),
    Step.FAIL: (_NOT_TOLD, State.FAILED),
    Step.EXPIRE: (_OPEN, State.EXPIRED),
}

_RESULTS = {
    State.SUCCEEDED: Step.SUCCEED,
    State.FAILED: Step.FAIL,
    State.EXPIRED: Step.EXPIRE,
}


def next_state(state: State, step: Step) -> State | None:
    """Give the state after a step, or None where the step changes nothing."""
    sources, target = _STEPS[step]
    return target if state in sources else None


def result_step(state: str) -> Step | None:
    """Read the ``state`` of a gateway's result; None for a word that is no result."""
    return _RESULTS.get(State(state)) if state in set(State) else None


def sources(step: Step) -> list[str]:
    """List the states that a step leads on from, for the condition of an update."""
    return sorted(state.value for state in State if next_state(state, step) is not None)


def target(step: Step) -> State:
    """Give the state that a step leads to."""
    return _STEPS[step][1]
