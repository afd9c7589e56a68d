"""Looks for SunSpec devices and proposes points of their models, with live values."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from components.modbus.asking import read_registers
from components.modbus.errors import UnitSilentError
from components.modbus.scanning import SpentError, Visit, in_words, tour_of
from components.sunspec.definitions import known_models
from components.sunspec.device import SunSpecDevice
from components.sunspec.layout import BASES, Chain, Counts
from components.sunspec.proposing import Proposal, counters_of, propose, texts_of
from components.sunspec.resolving import resolve
from components.sunspec.scanning import Ask, find_chain, read_counts
from components.sunspec.settings import Settings
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality, Reading

COMMON_FIELDS = {"mn": "Mn", "md": "Md", "vr": "Vr", "sn": "SN"}
UNREAD_NOTE = "Its values were not read: the scan had sent as many requests as it may."


async def discover(scan: ScanTarget) -> AsyncIterator[Progress | Found]:
    """Look for devices.

    Raises:
        SettingsError: a target or option cannot be understood.

    """
    tour = tour_of(scan)
    try:
        async with aclosing(tour.visits()) as items:
            async for item in items:
                if isinstance(item, Progress):
                    yield item
                elif device := await _visit(item):
                    yield device
    except SpentError:
        yield tour.progress(f"stopped: {scan.max_requests} requests are the limit")
        return
    yield tour.progress("done")


async def _visit(visit: Visit) -> Found | None:
    ask = _asker(visit)
    try:
        chain = await find_chain(ask, BASES, visit.settings.at)
        visit.present = True
        counts = await read_counts(ask, counters_of(chain))
        return await _described(visit, chain, counts)
    except UnitSilentError:
        return None
    except DeviceUnreachableError as exc:
        visit.lost = in_words(exc)
        return None
    except DeviceRefusedError:
        visit.present = True  # somebody is there, without SunSpec
        return None


def _asker(visit: Visit) -> Ask:
    async def ask(first: int, count: int) -> bytes:
        await visit.budget.take()
        return await read_registers(visit.line, visit.settings, first, count)

    return ask


async def _described(visit: Visit, chain: Chain, counts: Counts) -> Found:
    proposals = propose(chain, counts)
    common = [{"name": name, "model": 1, "field": f} for name, f in COMMON_FIELDS.items()]
    readings, notes = await _values(visit, chain, counts, [*common, *proposals])
    values = {reading.point: reading.value for reading in readings}
    vendor, model, version, serial = texts_of(values)
    good = {r.point for r in readings if r.quality is Quality.GOOD} - COMMON_FIELDS.keys()
    unknown = [str(block.model) for block in chain.blocks if block.model not in known_models()]
    if unknown:
        notes.append(f"Models that are not defined here were left out: {', '.join(unknown)}.")
    points = [point for point in proposals if point["name"] in good] if readings else proposals
    settings: dict[str, Any] = {
        "protocol": "sunspec", **visit.way.fields, "unit": visit.settings.unit, "base": chain.base,
        **({"vendor": vendor} if vendor else {}), **({"model": model} if model else {}),
    }  # fmt: skip
    models = ", ".join(str(block.model) for block in chain.blocks)
    return Found(
        protocol="sunspec",
        address=visit.settings.at,
        identity=serial,
        title=" ".join(filter(None, (vendor, model, version))) or f"SunSpec device ({models})",
        settings=settings,
        points=tuple(points),
        values=tuple(r for r in readings if r.point in good),
        notes=(f"Models: {models}.", *notes),
    )


async def _values(
    visit: Visit, chain: Chain, counts: Counts, proposals: Sequence[Proposal]
) -> tuple[list[Reading], list[str]]:
    """Read all proposed points at once, if the scan may still send so much."""
    settings = Settings(
        name="scan", unit=visit.settings.unit, base=chain.base,
        timeout_s=visit.settings.timeout_s, points=tuple(proposals), **visit.way.fields,
    )  # fmt: skip
    device = SunSpecDevice(settings, visit.line)
    try:
        await visit.budget.take(device.take(resolve(settings, chain, counts)))
    except SpentError:
        return [], [UNREAD_NOTE]
    try:
        return list(await device.read([point.name for point in settings.points])), []
    except DeviceRefusedError as exc:
        return [], [str(exc)]
