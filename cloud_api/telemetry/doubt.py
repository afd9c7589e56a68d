"""Batches whose times are in doubt: which they are, and which of their samples.

A gateway says in each batch whether something held its clock when the batch was closed. Where nothing
did, the times may be off by decades; but where a batch arrives at the very moment that it names, the
cloud has seen for itself that the clock is right, and nothing is to be said. A sample that carries
the device's own time is none of the gateway's clock.
"""

from dataclasses import replace
from datetime import datetime

import numpy as np

from cloud_api.registry.states import LATE_AFTER
from cloud_api.telemetry.columns import Columns, Integers
from cloud_api.telemetry.uploads import Opened
from cloud_sync.wire.batch import Batch, ClockQuality
from cloud_sync.wire.quality import Reason

UNSYNCHRONISED = Reason.CLOCK_UNSYNCHRONISED.value
MAX_BOOT_CHARS = 64


def boot_in_doubt(batch: Batch, now: datetime) -> str | None:
    """Name the boot whose clock gave this batch doubtful times; None where they are right."""
    if batch.clock != ClockQuality.UNSYNCHRONISED or not 0 < len(batch.boot) <= MAX_BOOT_CHARS:
        return None
    apart_us = abs(now.timestamp() * 1e6 - batch.last_us)
    return None if apart_us <= LATE_AFTER.total_seconds() * 1e6 else batch.boot


def part(batches: list[Opened], now: datetime) -> tuple[list[Columns], dict[str, list[Columns]]]:
    """Part the samples of an upload: those with sound times, and the others by boot."""
    sound: list[Columns] = []
    doubtful: dict[str, list[Columns]] = {}
    for opened in batches:
        if opened.columns is None:
            continue
        boot = boot_in_doubt(opened.batch, now)
        if boot is None:
            sound.append(opened.columns)
            continue
        columns = opened.columns
        mine = np.ones(columns.times.size, np.bool_)
        if columns.sourced is not None:
            mine = ~columns.sourced
            if columns.sourced.any():
                sound.append(select(columns, columns.sourced))
        if mine.any():
            doubtful.setdefault(boot, []).append(_marked(select(columns, mine)))
    return sound, doubtful


def select(columns: Columns, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Columns:
    """Keep some of the samples of a batch."""
    starts = np.cumsum(columns.counts) - columns.counts
    counts: Integers = np.add.reduceat(wanted, starts, dtype=np.int64)
    kept = np.flatnonzero(counts)
    return replace(
        columns,
        points=[columns.points[i] for i in kept.tolist()],
        counts=counts[kept],
        kinds=bytes(columns.kinds[i] for i in kept.tolist()),
        times=columns.times[wanted],
        values=columns.values[wanted],
        texts=None if columns.texts is None else columns.texts[wanted],
        verdict=columns.verdict[wanted],
        sourced=None if columns.sourced is None else columns.sourced[wanted],
    )


def _marked(columns: Columns) -> Columns:
    """Say that the time is in doubt, where there is nothing worse to say."""
    return replace(
        columns,
        verdicts=[(quality, reason or UNSYNCHRONISED) for quality, reason in columns.verdicts],
    )
