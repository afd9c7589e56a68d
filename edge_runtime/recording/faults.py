"""What goes wrong in a replay besides what went wrong on site: a small YAML of faults.

faults:
  - {device: meter, kind: silence, from_s: 60, until_s: 90}
  - {device: "*", kind: garbage, points: [power], from_s: 120, until_s: 125}
"""

import random
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge_runtime.model import Quality, Reading, Reason, Value
from edge_runtime.problems import suggestion
from edge_runtime.validation import Findings

EVERY = "*"
MAX_FAULTS = 1_000
GARBAGE: Sequence[Value] = (
    0,
    -1,
    65_535,
    -32_768,
    1 << 62,
    1e30,
    -1e30,
    "",
    "\x00\x7f garbage",
    True,
)


class FaultKind(StrEnum):
    """What a device does."""

    SILENCE = "silence"
    """It does not answer."""
    ERROR = "error"
    """It refuses: its points where some are named, else all of it."""
    STALE = "stale"
    """Its values stand still; one that reports by itself says nothing."""
    SLOW = "slow"
    """It answers later by ``delay_s``."""
    GARBAGE = "garbage"
    """Its values are nonsense of the wrong size and type."""
    FLAPPING = "flapping"
    """It answers and is silent by turns of ``period_s``."""


class Fault(BaseModel):
    """One fault, by the recording's own time; in a loop it comes with each pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field(min_length=1, max_length=63)
    """``*`` for all."""
    kind: FaultKind
    points: tuple[str, ...] = ()
    """All where none is named; only for ``error``, ``stale`` and ``garbage``."""
    from_s: float = Field(default=0.0, ge=0)
    until_s: float = Field(gt=0)
    delay_s: float = Field(default=1.0, gt=0, le=3_600)
    period_s: float = Field(default=5.0, gt=0, le=86_400)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.until_s <= self.from_s:
            msg = f"until_s {self.until_s:g} is not after from_s {self.from_s:g}"
            raise ValueError(msg)
        if self.points and self.kind not in _OF_POINTS:
            msg = f"'{self.kind}' is of a whole device: leave out 'points'"
            raise ValueError(msg)
        return self

    def active(self, t: float) -> bool:
        """Tell whether it goes wrong now."""
        if not self.from_s <= t < self.until_s:
            return False
        return (
            self.kind is not FaultKind.FLAPPING or int((t - self.from_s) / self.period_s) % 2 == 1
        )

    def hits(self, point: str) -> bool:
        """Tell whether it is about this point."""
        return not self.points or point in self.points


_OF_POINTS = frozenset({FaultKind.ERROR, FaultKind.STALE, FaultKind.GARBAGE})
MUTE = frozenset({FaultKind.SILENCE, FaultKind.FLAPPING})


class FaultPlan(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    faults: tuple[Fault, ...] = Field(default=(), max_length=MAX_FAULTS)

    def of(self, device: str) -> tuple[Fault, ...]:
        """Give the faults of one device."""
        return tuple(fault for fault in self.faults if fault.device in {EVERY, device})


def load_faults(path: Path, devices: Collection[str]) -> FaultPlan:
    """Read the file.

    Raises:
        FileProblemsError: a :class:`SettingsError` with everything that is wrong, line by line.

    """
    findings = Findings()
    tree = findings.read(path)
    plan = findings.model(FaultPlan, tree, ()) if tree is not None else None
    for place, fault in enumerate(plan.faults if plan is not None else ()):
        if tree is not None and fault.device not in {EVERY, *devices}:
            loc = ("faults", place, "device")
            text = f"no device '{fault.device}' in the recording"
            findings.add(tree.at(loc), loc, text + suggestion(fault.device, devices))
    findings.done(hint="mend the file; nothing was started")
    assert plan is not None
    return plan


def spoiled(faults: Sequence[Fault], reading: Reading, rng: random.Random) -> Reading:
    """Let a reading go wrong as its faults say."""
    for fault in faults:
        if not fault.hits(reading.point):
            continue
        if fault.kind is FaultKind.ERROR:
            reason = f"{Reason.DEVICE_ERROR}:injected"
            return Reading(reading.point, None, Quality.BAD, reason, reading.source_us)
        if fault.kind is FaultKind.GARBAGE:
            return Reading(reading.point, rng.choice(GARBAGE), source_us=reading.source_us)
    return reading
