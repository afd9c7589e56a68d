"""``tidegate edge scan``: look for devices with the drivers that can, within a bound of requests."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

import msgspec

from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.driver import Driver
from edge_runtime.errors import DeviceError, SettingsError
from tidegate.edge.foreign_text import harmless

MAX_REASON = 500
MAX_FOUND = 1_000
"""A scan that finds more ends: nobody picks from such a list."""

Report = Callable[[str, Progress], None]
"""Told the protocol and how far its scan is."""


class Skipped(msgspec.Struct, frozen=True):
    """A protocol that was not looked for, or not to the end, and why."""

    protocol: str
    reason: str


class Scanned(msgspec.Struct, frozen=True):
    """What a scan gave."""

    found: list[Found]
    requests: int
    complete: bool
    """Everything was looked at; otherwise the bound of requests, or Ctrl-C, ended the scan."""
    skipped: list[Skipped]
    interrupted: bool = False


async def scan(drivers: Sequence[Driver], target: ScanTarget, report: Report) -> Scanned:
    """Look for devices, one protocol after the other; all share the bound of requests.

    A scan that is cancelled ends with what it found so far.

    Raises:
        SettingsError: no driver understands the targets.

    """
    found: list[Found] = []
    skipped: list[Skipped] = []
    used, complete, interrupted = 0, True, False
    for driver in drivers:
        left = target.max_requests - used
        if driver.discover is None:
            skipped.append(Skipped(driver.protocol, "its driver cannot look for devices"))
        elif left <= 0 or len(found) >= MAX_FOUND:
            skipped.append(Skipped(driver.protocol, "no requests were left"))
            complete = False
        else:
            part = await _scan_one(
                driver, msgspec.structs.replace(target, max_requests=left), report
            )
            found += part.found[: MAX_FOUND - len(found)]
            skipped += part.skipped
            used += part.requests
            complete = complete and part.complete
            interrupted = part.interrupted
        if interrupted:
            break
    if drivers and len(skipped) == len(drivers) and complete:
        msg = "; ".join(f"{s.protocol}: {s.reason}" for s in skipped)
        raise SettingsError(msg, hint="see 'Looking for devices' in docs/commissioning.md")
    return Scanned(_once(found), used, complete, skipped, interrupted)


async def _scan_one(driver: Driver, target: ScanTarget, report: Report) -> Scanned:
    assert driver.discover is not None
    found: list[Found] = []
    skipped: list[Skipped] = []
    last, interrupted = Progress(0, 0, "", 0), False
    try:
        stream = driver.discover(target)
        async with aclosing(stream):  # type: ignore[type-var]  # the seam says async generator
            async for item in stream:
                if isinstance(item, Progress):
                    last = item
                    report(driver.protocol, item)
                elif len(found) < MAX_FOUND:
                    found.append(item)
    except (SettingsError, DeviceError) as exc:
        hint = getattr(exc, "hint", "")
        told = harmless(f"{exc} ({hint})" if hint else str(exc), MAX_REASON)
        skipped.append(Skipped(driver.protocol, told))
    except asyncio.CancelledError:
        interrupted = _forgive_cancelling()
        skipped.append(Skipped(driver.protocol, "interrupted; this is what was found until then"))
    ended = last.requests < target.max_requests or (last.total > 0 and last.done >= last.total)
    complete = ended and not interrupted and len(found) < MAX_FOUND
    return Scanned(found, last.requests, complete, skipped, interrupted)


def _forgive_cancelling() -> bool:
    """Let the task live on: somebody pressed Ctrl-C because the scan has found enough."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    return True


def _once(found: Sequence[Found]) -> list[Found]:
    """Leave out what was found again: the same place, or the same device by another way."""
    kept: list[Found] = []
    seen: set[tuple[str, str, str]] = set()
    for item in found:
        keys = {(item.protocol, "at", item.address)}
        if item.identity:
            keys.add((item.protocol, "is", item.identity))
        if not keys & seen:
            kept.append(item)
        seen |= keys
    return kept


def said(found: Found, field: str) -> str:
    """Give a text among the found settings, such as ``vendor``."""
    value = found.settings.get(field, "")
    return value if isinstance(value, str) else ""
