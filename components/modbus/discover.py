"""Looks for Modbus devices: which units answer, what they say of themselves, whether SunSpec.

Registers have no names, so nothing can be proposed beyond the device itself: a profile or a manual
says what its points are.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

from components.modbus.asking import read_registers
from components.modbus.errors import ExceptionAnswerError, UnitSilentError, WrongAnswerError
from components.modbus.identification import Identity, identify
from components.modbus.scanning import SpentError, Visit, in_words, tour_of
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceUnreachableError

SUNSPEC_BASES = (40_000, 50_000, 0)
SUNSPEC_MARKER = b"SunS"
SUNSPEC_NOTE = "It has a SunSpec marker: scan it with the protocol sunspec for points and values."
UNKNOWN_NOTE = "It does not say what it is: choose a profile, or take the points from its manual."
UNITS_NOTE = "Some devices answer as any unit: compare before you take the same one twice."


async def discover(scan: ScanTarget) -> AsyncIterator[Progress | Found]:
    """Look for devices.

    Raises:
        SettingsError: a target or option cannot be understood.

    """
    tour = tour_of(scan)
    found = 0
    try:
        async with aclosing(tour.visits()) as items:
            async for item in items:
                if isinstance(item, Progress):
                    yield item
                elif device := await _visit(item, several=found > 0):
                    found += 1
                    yield device
    except SpentError:
        yield tour.progress(f"stopped: {scan.max_requests} requests are the limit")
        return
    yield tour.progress("done")


async def _visit(visit: Visit, *, several: bool) -> Found | None:
    try:
        visit.present = await _answers(visit)
        if not visit.present:
            return None
        identity = await _identity(visit)
        marker = await _has_marker(visit)
    except DeviceUnreachableError as exc:
        visit.lost = in_words(exc)
        return None
    notes = [SUNSPEC_NOTE] * marker + [UNKNOWN_NOTE] * (identity is None) + [UNITS_NOTE] * several
    return _found(visit, identity or Identity(), tuple(notes))


def _found(visit: Visit, identity: Identity, notes: tuple[str, ...]) -> Found:
    settings = {"protocol": "modbus", **visit.way.fields, "unit": visit.settings.unit}
    if identity.vendor:
        settings["vendor"] = identity.vendor
    if identity.product:
        settings["model"] = identity.product
    return Found(
        protocol="modbus",
        address=visit.settings.at,
        identity="",
        title=identity.title or "Modbus device",
        settings=settings,
        notes=notes,
    )


async def _answers(visit: Visit) -> bool:
    """Read one register: a refusal is an answer too."""
    await visit.budget.take()
    try:
        await read_registers(visit.line, visit.settings, 0, 1)
    except UnitSilentError:
        return False
    except (ExceptionAnswerError, WrongAnswerError):
        return True
    return True


async def _identity(visit: Visit) -> Identity | None:
    await visit.budget.take()
    return await identify(visit.line, visit.settings)


async def _has_marker(visit: Visit) -> bool:
    for base in SUNSPEC_BASES:
        await visit.budget.take()
        try:
            if await read_registers(visit.line, visit.settings, base, 2) == SUNSPEC_MARKER:
                return True
        except (ExceptionAnswerError, WrongAnswerError, UnitSilentError):
            continue
    return False
