"""What the wall time was worth while nobody held the clock, told once somebody does.

While the clock is not synchronised its offset (wall minus monotonic time) is constant between steps:
a span. Once it is synchronised the true offset is known, and with it how far every time of those
spans was off. One event tells the cloud, which repairs what it has and what still comes. The spans
of this boot outlive a restart of the runtime; those of another boot can never be repaired, because
monotonic times of two boots do not compare.
"""

import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise

import msgspec

from cloud_sync.wire.batch import ClockQuality
from cloud_sync.wire.events import ClockSpan, ClockSynchronised, Event, EventKind
from edge_runtime.clock import boot_id
from edge_runtime.errors import StoreError
from edge_runtime.happenings import make_event
from edge_runtime.outages import OutageStore
from edge_runtime.outbox.committed import Stamp
from edge_runtime.watched_clock import STEP_US, WatchedClock

CHECK_S = 0.25
SAVE_S = 60.0
PREFIX = "clock/"
"""Of the names of spans among all states of the journal."""
MAX_SPANS = 64

logger = logging.getLogger(__name__)


class Timekeeper:
    """Watches the clock of this boot."""

    def __init__(self, clock: WatchedClock, store: OutageStore, *, boot: str = "") -> None:
        self._clock = clock
        self._store = store
        self._boot = boot or boot_id()
        self._spans = _load(store, PREFIX + self._boot)
        self._saved_at = clock.monotonic()
        clock.on_step(self._stepped)
        self._begin_again()

    @property
    def spans(self) -> tuple[ClockSpan, ...]:
        """The stretches of this boot whose times are in doubt."""
        return tuple(self._spans)

    async def run(
        self, hand_on: Callable[[Event], None], durable: Callable[[], Awaitable[None]]
    ) -> None:
        """Look for ever; ``durable`` returns once events are on disk."""
        while True:
            await self.look(hand_on, durable)
            await self._clock.sleep(CHECK_S)

    async def look(
        self, hand_on: Callable[[Event], None], durable: Callable[[], Awaitable[None]]
    ) -> None:
        """Let the present span grow, or tell of all of them when the clock is synchronised."""
        now = self._clock.stamp()
        if now.clock is ClockQuality.UNSYNCHRONISED:
            self._grow(now.monotonic_us)
        elif now.clock is ClockQuality.SYNCHRONISED and self._spans:
            await self._tell(hand_on, durable)

    def _begin_again(self) -> None:
        """Go on after a restart: with the last span, or a new one where the clock was stepped."""
        now = self._clock.stamp()
        if now.clock is not ClockQuality.UNSYNCHRONISED:
            return
        if self._spans and abs(self._spans[-1].offset_us - self._clock.offset_us) <= STEP_US:
            return
        # Nothing else of this boot is known: what adapters read before us belongs to it too.
        start = self._spans[-1].to_us if self._spans else 0
        self._open(start, now.monotonic_us)

    def _stepped(self, before: Stamp) -> None:
        if before.clock is not ClockQuality.UNSYNCHRONISED:
            return
        self._grow(before.monotonic_us)
        now_us = round(self._clock.monotonic() * 1e6)
        logger.info("the clock was stepped before it was synchronised")
        self._open(before.monotonic_us, now_us)

    def _open(self, start: int, end: int) -> None:
        self._spans.append(ClockSpan(start, end, self._clock.offset_us))
        del self._spans[:-MAX_SPANS]
        self._save()

    def _grow(self, now_us: int) -> None:
        if not self._spans:
            self._open(now_us, now_us)
            return
        last = self._spans[-1]
        self._spans[-1] = msgspec.structs.replace(last, to_us=max(now_us, last.to_us))
        if self._clock.monotonic() - self._saved_at >= SAVE_S:
            self._save()

    async def _tell(
        self, hand_on: Callable[[Event], None], durable: Callable[[], Awaitable[None]]
    ) -> None:
        """Tell, and forget the spans once that is durable; told twice it is the same event."""
        spans, offset_us = self._spans, self._clock.offset_us
        worst_s = max(abs(offset_us - span.offset_us) for span in spans) / 1e6
        logger.info("the clock is synchronised, it was off by up to %.1f s", worst_s)
        body = ClockSynchronised(self._boot, offset_us, spans)
        name = f"clock-{self._boot}-{spans[0].from_us}-{spans[0].offset_us}"
        kind, now_us = EventKind.CLOCK_SYNCHRONISED, self._clock.wall_us()
        hand_on(make_event(kind, body, now_us, name=name))
        self._spans = []
        try:
            await durable()
            self._store.drop_state(PREFIX + self._boot)
        except StoreError as exc:
            logger.warning("it will be told again that the clock is synchronised: %s", exc)

    def _save(self) -> None:
        self._saved_at = self._clock.monotonic()
        try:
            self._store.save_state(PREFIX + self._boot, msgspec.json.encode(self._spans))
        except StoreError as exc:
            logger.warning("what the clock was worth is not saved: %s", exc)


def _load(store: OutageStore, name: str) -> list[ClockSpan]:
    """Read the spans of this boot; those of others are dropped."""
    try:
        states = store.load_states()
        for other in states:
            if other.startswith(PREFIX) and other != name:
                store.drop_state(other)
    except StoreError as exc:
        logger.warning("what the clock was worth before is not known: %s", exc)
        return []
    try:
        spans = msgspec.json.decode(states.get(name, b"[]"), type=list[ClockSpan])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    in_order = all(one.to_us <= two.from_us for one, two in pairwise(spans))
    return spans if in_order else []
