"""The rules of a gateway at work: every reading goes through them before report by exception.

An alert must neither be lost nor raised twice by a crash. So a changed state is saved first, with
the events it caused; then the events are handed on; once they are durable the state is saved
without them. After a restart what is still saved with a state is handed on again: the cloud knows
an event by its id and takes it once.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from cloud_sync.wire.events import Event
from edge_runtime.clock import Clock
from edge_runtime.errors import StoreError
from edge_runtime.normalise import Normalised
from edge_runtime.rules.step import (
    Rule,
    RuleState,
    cleared,
    first_state,
    is_pending,
    revived,
    step,
    tick,
)

TICK_S = 0.25
PREFIX = "rule/"
"""Of the names of rule states among all states of the journal."""
MAX_UNSENT = 1_000
"""Events kept with one rule while the journal or the outbox takes none; then the oldest go."""

logger = logging.getLogger(__name__)


class StateStore(Protocol):
    """Where states survive a restart."""

    def save_state(self, name: str, content: bytes) -> None:
        """Save durably; raises :class:`StoreError`."""
        ...

    def drop_state(self, name: str) -> None:
        """Forget durably; raises :class:`StoreError`."""
        ...

    def load_states(self) -> Mapping[str, bytes]:
        """Give what was saved last."""
        ...


class SavedRule(msgspec.Struct, frozen=True):
    """A rule's state as it is saved."""

    fingerprint: str
    point: str
    state: RuleState
    unsent: list[Event] = []
    """Events that are not known to be durable in the outbox."""


class _Track:
    """One rule at work."""

    def __init__(self, rule: Rule, state: RuleState) -> None:
        self.rule = rule
        self.state = state
        self.unsent: list[Event] = []
        self.dirty = False

    def move(self, state: RuleState, events: Sequence[Event]) -> None:
        before, self.state = self.state, state
        self.unsent = [*self.unsent, *events][-MAX_UNSENT:]
        self.dirty |= before.held != state.held or bool(events)

    def saved(self) -> bytes:
        rule = self.rule
        return msgspec.json.encode(SavedRule(rule.fingerprint, rule.point, self.state, self.unsent))


class RuleEngine:
    """Takes readings and time; hands on events."""

    def __init__(self, rules: Sequence[Rule], store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changed = asyncio.Event()
        self._orphans: list[tuple[str, list[Event]]] = []
        saved = _decode(store.load_states())
        self._tracks = {rule.name: self._track(rule, saved.pop(rule.name, None)) for rule in rules}
        for name, record in saved.items():
            self._orphans.append((name, self._last_events(name, record)))
        self._by_point: dict[str, list[_Track]] = {}
        for track in self._tracks.values():
            for point in track.rule.points:
                self._by_point.setdefault(point, []).append(track)

    def states(self) -> list[tuple[Rule, RuleState]]:
        """Give every rule with its state."""
        return [(track.rule, track.state) for track in self._tracks.values()]

    def take(self, normalised: Normalised) -> None:
        """Take one read of a device."""
        by_point = self._by_point
        for reading in normalised.readings:
            for track in by_point.get(reading.point, ()):
                self._move(track, *step(track.rule, track.state, reading, _new_id))

    def pass_time(self) -> None:
        """Let durations run on that no reading moves."""
        now_us = self._clock.wall_us()
        for track in self._tracks.values():
            if is_pending(track.state):
                self._move(track, *tick(track.rule, track.state, now_us, _new_id))

    async def run(
        self, hand_on: Callable[[Event], None], durable: Callable[[], Awaitable[None]]
    ) -> None:
        """Tick, save and hand on until cancelled; ``durable`` returns once events are on disk."""
        while True:
            self.pass_time()
            await self.settle(hand_on, durable)
            if not self._changed.is_set():
                await self._clock.sleep(TICK_S)

    async def settle(
        self, hand_on: Callable[[Event], None], durable: Callable[[], Awaitable[None]]
    ) -> None:
        """Save what changed, hand its events on, and note when they are durable."""
        self._changed.clear()
        changed = [track for track in self._tracks.values() if track.dirty]
        orphans, self._orphans = self._orphans, []
        batches = [list(track.unsent) for track in changed]
        try:
            for track in changed:
                self._store.save_state(PREFIX + track.rule.name, track.saved())
        except StoreError:
            logger.exception("rule states cannot be saved; alerts go out all the same")
        for track in changed:
            track.dirty = False
        for event in (e for events in [*batches, *(o[1] for o in orphans)] for e in events):
            hand_on(event)
        if not any(batches) and not orphans:
            return
        try:
            await durable()
            for track, events in zip(changed, batches, strict=True):
                track.unsent = track.unsent[len(events) :]
                self._store.save_state(PREFIX + track.rule.name, track.saved())
            for name, _ in orphans:
                self._store.drop_state(PREFIX + name)
        except StoreError:
            logger.exception("rule states cannot be saved; events will be sent again")

    def _track(self, rule: Rule, record: SavedRule | None) -> _Track:
        track = _Track(rule, first_state(rule))
        if record is None:
            return track
        if record.fingerprint == rule.fingerprint:
            track.state = revived(record.state)
            track.move(track.state, record.unsent)
        else:
            track.move(track.state, self._last_events(rule.name, record))
        return track

    def _last_events(self, name: str, record: SavedRule) -> list[Event]:
        """Clear the alert of a rule that is gone or was changed; nobody else would."""
        events, alert = list(record.unsent), record.state.alert
        if alert is not None:
            events.append(cleared(name, record.point, alert, None, self._clock.wall_us()))
        return events

    def _move(self, track: _Track, state: RuleState, events: Sequence[Event]) -> None:
        track.move(state, events)
        if events:
            self._changed.set()
            for event in events:
                logger.info("rule %s: %s", track.rule.name, event.kind)


def _decode(states: Mapping[str, bytes]) -> dict[str, SavedRule]:
    """Read saved states; one that cannot be read is dropped."""
    saved: dict[str, SavedRule] = {}
    for name, content in states.items():
        if not name.startswith(PREFIX):
            continue
        try:
            saved[name.removeprefix(PREFIX)] = msgspec.json.decode(content, type=SavedRule)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            logger.warning("the saved state %s cannot be read and is dropped", name)
    return saved


def _new_id() -> str:
    return str(uuid.uuid4())
