"""Time as a parameter, so that a month offline is a test of seconds."""

import asyncio
import ctypes
import time
from functools import cache
from pathlib import Path
from typing import Protocol

from cloud_sync.wire.batch import ClockQuality

_STA_UNSYNC = 0x0040
"""Status bit of adjtimex(2): the kernel's clock is not disciplined."""


class Clock(Protocol):
    """Wall time, monotonic time and sleep."""

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment of this boot; never jumps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""
        ...

    def quality(self) -> ClockQuality:
        """Tell whether the wall time can be trusted."""
        ...


class SystemClock:
    """The machine's own clock."""

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds on CLOCK_MONOTONIC."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)

    def quality(self) -> ClockQuality:
        """Ask the kernel whether NTP or PTP holds the clock: adjtimex(2), Linux only."""
        timex = ctypes.create_string_buffer(256)
        try:
            state = ctypes.CDLL(None).adjtimex(timex)
        except (OSError, AttributeError):
            return ClockQuality.UNKNOWN
        status = int.from_bytes(timex.raw[40:44], "little")
        if state < 0:
            return ClockQuality.UNKNOWN
        return ClockQuality.UNSYNCHRONISED if status & _STA_UNSYNC else ClockQuality.SYNCHRONISED


@cache
def boot_id() -> str:
    """Name this boot of the machine; monotonic times compare only within one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"process-{time.time_ns()}"
