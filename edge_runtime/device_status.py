"""What became of reading a device so far, for the status file and for people."""

from collections.abc import Collection, Sequence

import msgspec

from edge_runtime.model import Quality, Reading


class DeviceStatus(msgspec.Struct):
    """What became of a device's reading so far."""

    polls: int = 0
    readings: int = 0
    reported: int = 0
    errors: int = 0
    missed: int = 0
    """Deadlines that passed while the device was still busy with an earlier one."""
    late_s: float = 0.0
    """How late the last read began."""
    duration_s: float = 0.0
    """How long the last read took."""
    newest_good_us: int | None = None
    silent_since_us: int | None = None
    silent_reason: str = ""
    bad_points: int = 0
    """Points whose last reading is bad."""
    subscribed: int = 0
    """Points that the device reports by itself."""
    stale_points: int = 0
    """Points without news for longer than was promised."""


class Tally:
    """Keeps a device's status while readings pass."""

    def __init__(self, status: DeviceStatus) -> None:
        self.status = status
        self._bad: set[str] = set()

    def count(self, readings: Sequence[Reading], reported: int, received_us: int) -> None:
        """Count what one read, or one piece of news, gave."""
        status = self.status
        status.readings += len(readings)
        status.reported += reported
        bad = {reading.point for reading in readings if reading.quality is Quality.BAD}
        if self._bad:
            self._bad.difference_update(reading.point for reading in readings)
        self._bad |= bad
        status.bad_points = len(self._bad)
        if len(bad) < len(readings):
            status.newest_good_us = received_us

    def fail(self, keys: Collection[str]) -> None:
        """Note points that turned bad without a reading."""
        self._bad.update(keys)
        self.status.bad_points = len(self._bad)
