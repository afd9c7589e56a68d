"""Walk through the points with an installer who stands before the device's display.

A point is read when it comes up and once more when the display's value was typed: whichever of the
two is nearer counts, for the value may move meanwhile.
"""

from collections.abc import Callable, Coroutine, Sequence
from enum import Enum, auto
from typing import Any, Protocol

from edge_runtime.clock import Clock
from edge_runtime.errors import DeviceError
from edge_runtime.model import Point
from edge_runtime.settings import ConfiguredDevice
from tidegate.edge.handover.checks import (
    Check,
    Progress,
    Verdict,
    check_of,
    decided,
    filled,
    points_to_check,
)
from tidegate.edge.handover.comparing import Comparison, Tolerance, compare
from tidegate.edge.reading import Seen, look_at

QUESTION = "Display (Enter=same s=skip x=reject r=again q=stop)"
DIFFERS = "Differs (x=reject a=accept r=again)"


class Dialogue(Protocol):
    """The person."""

    def tell(self, text: str) -> None:
        """Show something."""
        ...

    def ask(self, question: str) -> str:
        """Ask; gives what was typed, empty for Enter alone."""
        ...


Run = Callable[[Coroutine[Any, Any, Seen | None]], Seen | None]
Save = Callable[[Progress], None]


class _Step(Enum):
    NEXT = auto()
    STOP = auto()


class Walk:
    """One walk; every decision is kept at once."""

    def __init__(
        self,
        dialogue: Dialogue,
        clock: Clock,
        run: Run,
        save: Save,
        *,
        by: str,
        tolerance: Tolerance,
    ) -> None:
        self._dialogue = dialogue
        self._clock = clock
        self._run = run
        self._save = save
        self._by = by
        self._tolerance = tolerance
        self.progress = Progress("", 0)

    def through(self, devices: Sequence[ConfiguredDevice], progress: Progress) -> Progress:
        """Ask for every point that is still open, until all are done or the person stops."""
        self.progress = progress
        points = [(device, point) for device in devices for point in points_to_check(device)]
        still_open = [
            (number, device, point)
            for number, (device, point) in enumerate(points, 1)
            if check_of(device, point, progress.checks).verdict is Verdict.OPEN
        ]
        done = len(points) - len(still_open)
        if done:
            self._dialogue.tell(f"{done} of {len(points)} points were checked before")
        for number, device, point in still_open:
            self._dialogue.tell(f"\n{device.settings.name}  {number}/{len(points)}")
            if self._point(device, point) is _Step.STOP:
                break
        return self.progress

    def _point(self, device: ConfiguredDevice, point: Point) -> _Step:
        blank = check_of(device, point, {})
        while True:
            seen = self._look(device, point)
            check = filled(blank, seen)
            self._show(point, check)
            answer = self._dialogue.ask(QUESTION).strip()
            match answer.lower():
                case "q":
                    return _Step.STOP
                case "r":
                    continue
                case "s":
                    return self._decide(check, Verdict.SKIPPED, note=self._note("Why"))
                case "x":
                    return self._decide(check, Verdict.REJECTED, note=self._note("What is wrong"))
                case "" if seen is None or seen.read.value is None:
                    self._dialogue.tell("there is no value to accept: s, x, r or q")
                    continue
                case "":
                    return self._decide(check, Verdict.ACCEPTED, expected=check.shown)
                case _:
                    pass
            step = self._judge(device, point, check, seen, answer)
            if step is not None:
                return step

    def _judge(
        self,
        device: ConfiguredDevice,
        point: Point,
        check: Check,
        before: Seen | None,
        expected: str,
    ) -> _Step | None:
        """Compare what was typed; None to look again."""
        after = self._look(device, point)
        nearest, comparison = self._nearest(before, after, expected)
        check = filled(check, nearest)
        if comparison.fits:
            self._dialogue.tell(f"fits: {check.shown} {check.unit}".rstrip())
            return self._decide(check, Verdict.ACCEPTED, expected=expected)
        self._dialogue.tell(f"read {check.shown} {check.unit} ({comparison.difference})")
        while True:
            match self._dialogue.ask(DIFFERS).strip().lower():
                case "x" | "":
                    note = self._note("What is wrong") or comparison.difference
                    return self._decide(check, Verdict.REJECTED, expected=expected, note=note)
                case "a" if check.value is not None:
                    note = self._note("Why is it right") or f"differs by {comparison.difference}"
                    return self._decide(check, Verdict.ACCEPTED, expected=expected, note=note)
                case "r":
                    return None
                case _:
                    self._dialogue.tell("x, a or r")

    def _nearest(
        self, before: Seen | None, after: Seen | None, expected: str
    ) -> tuple[Seen | None, Comparison]:
        looks = [seen for seen in (after, before) if seen is not None]
        judged = [(seen, compare(expected, seen.read, self._tolerance)) for seen in looks]
        fitting = [pair for pair in judged if pair[1].fits]
        return next(iter(fitting or judged), (None, Comparison(fits=False, difference="no answer")))

    def _look(self, device: ConfiguredDevice, point: Point) -> Seen | None:
        try:
            return self._run(_look_at_one(device, point.name, self._clock))
        except DeviceError as exc:
            self._dialogue.tell(f"no answer: {exc}")
            return None

    def _show(self, point: Point, check: Check) -> None:
        quality = f"{check.quality} {check.reason}".strip()
        self._dialogue.tell(f"{point.name}  {check.shown} {check.unit}  {quality}")
        if point.description:
            self._dialogue.tell(f"  {point.description}")
        if check.raw:
            self._dialogue.tell(f"  {check.raw}")

    def _note(self, question: str) -> str:
        return self._dialogue.ask(f"{question}? (Enter for none)").strip()

    def _decide(
        self, check: Check, verdict: Verdict, *, expected: str = "", note: str = ""
    ) -> _Step:
        now = self._clock.wall_us()
        check = decided(check, verdict, expected=expected, note=note, by=self._by, at_us=now)
        self.progress = self.progress.with_check(check)
        self._save(self.progress)
        return _Step.NEXT


async def _look_at_one(device: ConfiguredDevice, point: str, clock: Clock) -> Seen | None:
    return next(iter(await look_at(device, [point], clock)), None)
