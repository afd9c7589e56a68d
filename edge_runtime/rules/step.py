"""One step of one rule: a reading or a moment in, a new state and events out. Pure.

``new_id`` is the only thing from outside; back-testing gives a counter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from cloud_sync.wire.events import AlertCleared, AlertRaised, Event, EventKind, PointDeclared
from cloud_sync.wire.samples import Value
from edge_runtime.model import Quality, Reading
from edge_runtime.rules.conditions import Evaluate, Memory
from edge_runtime.rules.message import render, show_value

NewId = Callable[[], str]
Actions = tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule bound to its points and compiled."""

    name: str
    point: str
    points: frozenset[str]
    """Every point whose readings concern it."""
    facts: PointDeclared
    """Of ``point``."""
    evaluate: Evaluate
    comparisons: int
    durations: int
    priority: str
    message: str
    fingerprint: str
    """Changes with the rule, so that a state of another version is not taken for its own."""


class RuleState(msgspec.Struct, frozen=True):
    """What a rule remembers; small, plain, fit for a journal."""

    latched: tuple[bool, ...]
    since_us: tuple[int | None, ...]
    held: tuple[bool, ...]
    values: dict[str, Value] = {}
    """The last value of each point, if it can be trusted."""
    alert: str | None = None
    """The alert that is raised and not cleared."""


def first_state(rule: Rule) -> RuleState:
    """Give the state of a rule that saw nothing yet."""
    durations = rule.durations
    return RuleState((False,) * rule.comparisons, (None,) * durations, (False,) * durations)


def revived(state: RuleState) -> RuleState:
    """Give the state after a restart: no value is known, and the time between does not count."""
    since = tuple(None for _ in state.since_us)
    return msgspec.structs.replace(state, values={}, since_us=since)


def is_pending(state: RuleState) -> bool:
    """Tell whether a duration runs, so that time alone can change the verdict."""
    return any(s is not None and not h for s, h in zip(state.since_us, state.held, strict=True))


def step(
    rule: Rule, state: RuleState, reading: Reading, new_id: NewId
) -> tuple[RuleState, Actions]:
    """Take a normalised reading of one of the rule's points."""
    values = dict(state.values)
    if reading.quality is Quality.BAD or reading.value is None:
        values.pop(reading.point, None)
    else:
        values[reading.point] = reading.value
    return _decide(rule, state, values, reading.received_us, new_id)


def tick(rule: Rule, state: RuleState, now_us: int, new_id: NewId) -> tuple[RuleState, Actions]:
    """Let time pass: a value that stays the same is not read twice to fire."""
    return _decide(rule, state, dict(state.values), now_us, new_id)


def _decide(
    rule: Rule, state: RuleState, values: dict[str, Value], now_us: int, new_id: NewId
) -> tuple[RuleState, Actions]:
    memory = Memory(now_us, values, list(state.latched), list(state.since_us), list(state.held))
    verdict = rule.evaluate(memory)
    alert = state.alert
    actions: Actions = ()
    if verdict is True and alert is None:
        alert = new_id()
        actions = (raised(rule, alert, values.get(rule.point), now_us),)
    elif verdict is False and alert is not None:
        value = values.get(rule.point)
        actions = (cleared(rule.name, rule.point, alert, value, now_us),)
        alert = None
    after = RuleState(
        tuple(memory.latched), tuple(memory.since_us), tuple(memory.held), values, alert
    )
    return after, actions


def raised(rule: Rule, alert: str, value: Value | None, time_us: int) -> Event:
    """Make the event of a raised alert."""
    device, _, point = rule.point.partition("/")
    facts: Mapping[str, str] = {
        "value": show_value(value, rule.facts.decimals, rule.facts.labels),
        "unit": rule.facts.unit,
        "point": point,
        "device": device,
        "rule": rule.name,
    }
    message = render(rule.message, facts)
    body = AlertRaised(alert, rule.name, rule.point, rule.priority, message, value)
    return _event(EventKind.ALERT_RAISED, f"{alert}-raised", body, time_us)


def cleared(rule: str, point: str, alert: str, value: Value | None, time_us: int) -> Event:
    """Make the event of a cleared alert."""
    body = AlertCleared(alert, rule, point, value)
    return _event(EventKind.ALERT_CLEARED, f"{alert}-cleared", body, time_us)


def _event(kind: EventKind, name: str, body: msgspec.Struct, time_us: int) -> Event:
    return Event(name, kind.value, time_us, msgspec.to_builtins(body))
