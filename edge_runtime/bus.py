"""Readings and events between the parts of one process: a plain synchronous fan-out.

A subscriber is called at once, in the order of subscription, and must neither block nor raise: what
takes time it puts aside itself, within its own limit. So nothing can pile up here.
"""

from collections.abc import Callable
from typing import TypeVar

from cloud_sync.wire.events import Event
from edge_runtime.normalise import Normalised

T = TypeVar("T")

MAX_SUBSCRIBERS = 16

TakeReadings = Callable[[Normalised], None]
TakeEvent = Callable[[Event], None]


class Bus:
    """Hands on what the devices gave, and what happened."""

    def __init__(self) -> None:
        self._readings: list[TakeReadings] = []
        self._events: list[TakeEvent] = []

    def on_readings(self, take: TakeReadings) -> None:
        """Subscribe to every read of every device."""
        _subscribe(self._readings, take)

    def on_event(self, take: TakeEvent) -> None:
        """Subscribe to the events of this process."""
        _subscribe(self._events, take)

    def readings(self, normalised: Normalised) -> None:
        """Hand one read of a device to all subscribers."""
        for take in self._readings:
            take(normalised)

    def event(self, event: Event) -> None:
        """Hand an event to all subscribers."""
        for take in self._events:
            take(event)


def _subscribe(subscribers: "list[Callable[[T], None]]", take: "Callable[[T], None]") -> None:
    if len(subscribers) >= MAX_SUBSCRIBERS:
        msg = f"the bus has {MAX_SUBSCRIBERS} subscribers already"
        raise ValueError(msg)
    subscribers.append(take)
