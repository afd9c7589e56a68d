"""Check every point against a list of expectations."""

from collections.abc import Mapping, Sequence

from edge_runtime.clock import Clock
from edge_runtime.errors import DeviceError
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
from tidegate.edge.handover.comparing import compare
from tidegate.edge.handover.expectations import Expectation
from tidegate.edge.reading import Seen, look_at


async def check_all(
    devices: Sequence[ConfiguredDevice],
    expectations: Mapping[str, Expectation],
    progress: Progress,
    clock: Clock,
    by: str,
) -> Progress:
    """Read every device once and judge what the list names; the rest is skipped."""
    for device in devices:
        try:
            seen = {s.point.name: s for s in await look_at(device, (), clock)}
            silence = ""
        except DeviceError as exc:
            seen, silence = {}, str(exc) or "no answer"
        for point in points_to_check(device):
            blank = check_of(device, point, {})
            expectation = expectations.get(blank.key)
            one = seen.get(point.name)
            check = _judged(
                filled(blank, one), one, expectation, silence=silence, by=by, now_us=clock.wall_us()
            )
            progress = progress.with_check(check)
    return progress


def _judged(
    check: Check,
    seen: Seen | None,
    expectation: Expectation | None,
    *,
    silence: str,
    by: str,
    now_us: int,
) -> Check:
    if expectation is None:
        note = silence or "not in the list of expectations"
        return decided(check, Verdict.SKIPPED, note=note, by=by, at_us=now_us)
    note, verdict = expectation.note, Verdict.REJECTED
    if seen is None:
        difference = silence or "no answer"
    else:
        comparison = compare(expectation.expected, seen.read, expectation.tolerance)
        verdict = Verdict.ACCEPTED if comparison.fits else Verdict.REJECTED
        difference = "" if comparison.fits else comparison.difference
    told = "; ".join(part for part in (difference, note) if part)
    return decided(check, verdict, expected=expectation.expected, note=told, by=by, at_us=now_us)
