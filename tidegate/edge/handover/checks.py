"""What was found out about each point: expected, read, accepted or not, by whom and when."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from edge_runtime.model import Access, Point, Value
from edge_runtime.settings import ConfiguredDevice
from tidegate.edge.foreign_text import harmless
from tidegate.edge.reading import Seen, lies_beneath

MAX_NOTE = 500


class Verdict(StrEnum):
    """What a person, or a list of expectations, said of a point."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    OPEN = "open"
    """Nobody looked yet."""


class Check(msgspec.Struct, frozen=True):
    """One point as it was checked."""

    device: str
    point: str
    definition: str
    """Hash of the settings that it was checked with: other settings have to be checked again."""
    verdict: Verdict = Verdict.OPEN
    expected: str = ""
    """What the display showed, or the list said."""
    value: Value | None = None
    shown: str = ""
    """The value read, for people."""
    unit: str = ""
    quality: str = ""
    reason: str = ""
    raw: str = ""
    """Where it came from and its bytes, or the raw value."""
    note: str = ""
    by: str = ""
    at_us: int = 0

    @property
    def key(self) -> str:
        """``device/point``."""
        return f"{self.device}/{self.point}"


class Progress(msgspec.Struct, frozen=True):
    """All checks so far, as they are kept on disk."""

    gateway: str
    begun_us: int
    checks: dict[str, Check] = {}

    def with_check(self, check: Check) -> "Progress":
        """Note a check; a later one of the same point counts."""
        return msgspec.structs.replace(self, checks={**self.checks, check.key: check})


def points_to_check(device: ConfiguredDevice) -> list[Point]:
    """Give the points that can be read."""
    return [p for p in device.settings.points if p.access is not Access.WRITE]


def definition_of(device: ConfiguredDevice, point: Point) -> str:
    """Name the settings that make a point's value what it is."""
    address = device.driver.address(device.settings)
    told = f"{device.driver.protocol}\n{address}\n{point.model_dump_json()}"
    order = getattr(device.settings, "word_order", "")
    return hashlib.sha256(f"{told}\n{order}".encode()).hexdigest()[:16]


def current_checks(devices: Iterable[ConfiguredDevice], progress: Progress) -> list[Check]:
    """Give one check for each point of the settings; open where none holds any more."""
    return [
        check_of(device, point, progress.checks)
        for device in devices
        for point in points_to_check(device)
    ]


def check_of(device: ConfiguredDevice, point: Point, done: Mapping[str, Check]) -> Check:
    """Give what is known of a point; open where it was checked with other settings."""
    definition = definition_of(device, point)
    known = done.get(f"{device.settings.name}/{point.name}")
    if known is None or known.definition != definition:
        note = "" if known is None else "its settings changed since it was checked"
        return Check(device.settings.name, point.name, definition, unit=point.unit, note=note)
    return known


def filled(check: Check, seen: Seen | None) -> Check:
    """Put what was read into a check."""
    if seen is None:
        return msgspec.structs.replace(
            check, value=None, shown="", quality="bad", reason="no_answer", raw=""
        )
    inspection = seen.inspection
    under = lies_beneath(seen)
    data = under.bytes_shown or ("" if under.raw is None else harmless(str(under.raw)))
    return msgspec.structs.replace(
        check,
        value=seen.read.value,
        shown=seen.read.shown,
        unit=seen.read.unit,
        quality=seen.read.quality,
        reason=seen.read.reason,
        raw=f"{inspection.shown}: {data}" if inspection.shown and data else data,
    )


def decided(
    check: Check, verdict: Verdict, *, expected: str = "", note: str = "", by: str, at_us: int
) -> Check:
    """Put a decision into a check."""
    return msgspec.structs.replace(
        check, verdict=verdict, expected=expected, note=note[:MAX_NOTE], by=by, at_us=at_us
    )


def count(checks: Iterable[Check]) -> dict[str, int]:
    """Count the verdicts; all of them are named."""
    found = Counter(check.verdict.value for check in checks)
    return {verdict.value: found[verdict.value] for verdict in Verdict}
