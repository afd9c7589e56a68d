"""The newest sample of a point, and how healthy that makes the point."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Value

STALE_SLACK_S = 5.0
"""For the way from the gateway to here."""


class PointHealth(StrEnum):
    """What the newest sample says of its point."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"
    STALE = "stale"
    """Nothing came for longer than the point's gateway promised."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest sample of a point and its newest good one. Numbers as floats, as stored."""

    time: datetime
    value: float | None
    text: str | None
    quality: Quality
    reason: str
    good_at: datetime | None
    good_value: float | None
    good_text: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "quality", Quality(self.quality))


@dataclass(frozen=True, slots=True)
class Health:
    """Declared points by health, and the time of the newest good sample among them."""

    total: int = 0
    good: int = 0
    uncertain: int = 0
    bad: int = 0
    stale: int = 0
    never: int = 0
    newest_good_at: datetime | None = None

    def __add__(self, other: "Health") -> "Health":
        """Count two groups of points as one."""
        times = [t for t in (self.newest_good_at, other.newest_good_at) if t is not None]
        return Health(
            self.total + other.total,
            self.good + other.good,
            self.uncertain + other.uncertain,
            self.bad + other.bad,
            self.stale + other.stale,
            self.never + other.never,
            max(times, default=None),
        )


def health_of(
    latest: Latest | None, interval_s: float, max_silence_s: float, now: datetime
) -> PointHealth:
    """Judge a point by the age of its newest sample against its own interval, then by quality."""
    if latest is None:
        return PointHealth.NEVER
    allowed = timedelta(seconds=max_silence_s + 3 * interval_s + STALE_SLACK_S)
    if now - latest.time > allowed:
        return PointHealth.STALE
    return PointHealth(latest.quality.name.lower())


def value_of(kind: str, value: float | None, text: str | None) -> Value | None:
    """Give a stored value as its point's kind says: a boolean, a whole number, a text."""
    match kind:
        case "text":
            return text
        case _ if value is None:
            return None
        case "boolean":
            return bool(value)
        case "integer" | "enumeration" if value.is_integer():
            return int(value)
        case _:
            return value
