"""One side of a split gateway, to be killed: ``runtime`` or ``adapter``. Usage: SIDE FOLDER LIFE.

The devices count: every read of life ``n`` gives the next number from ``n`` million on, so that a
hole or a number that is there twice can be seen. What is committed is said on standard error.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from edge_runtime.clock import SystemClock
from edge_runtime.driver import Device, DeviceSettings, Driver
from edge_runtime.host.adapter import run_adapter
from edge_runtime.host.context import Context
from edge_runtime.host.runtime import run_runtime
from edge_runtime.model import Reading
from edge_runtime.settings import load_settings
from tidegate.cli.logs import set_up

GATEWAY = """\
gateway:
  name: cellar-1
  state_dir: state
  outbox: {commit_interval_s: 0.02, segment_bytes: 65536}
devices:
  - {name: one, protocol: counting, adapter: serial-1, interval_s: 0.05, points: [{name: a, kind: integer}, {name: b, kind: integer}]}
  - {name: two, protocol: counting, adapter: serial-1, interval_s: 0.05, points: [{name: a, kind: integer}]}
  - {name: own, protocol: counting, interval_s: 0.05, points: [{name: a, kind: integer}]}
"""
LIFE = 1_000_000


class Counting:
    """A device whose every point counts its reads."""

    def __init__(self, first: int) -> None:
        self._next = count(first)

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        number = next(self._next)
        return [Reading(point, number) for point in points]


def driver(life: int) -> Driver:
    @asynccontextmanager
    async def open_device(_: DeviceSettings) -> AsyncIterator[Device]:
        yield Counting(life * LIFE)

    return Driver(
        "counting",
        DeviceSettings,
        open_device,
        plan=lambda *_: [],
        address=lambda settings: settings.name,
        connection=lambda settings: settings.name,
    )


async def live(side: str, folder: Path, life: int) -> None:
    adapter = "serial-1" if side == "adapter" else None
    file = folder / "gateway.yaml"
    settings = load_settings(file, lambda _: driver(life), adapter=adapter)
    context = Context(settings, SystemClock(), "0.0.1")
    await (run_adapter(context, adapter) if adapter else run_runtime(context, ()))


if __name__ == "__main__":
    logging.captureWarnings(capture=True)
    set_up(sys.argv[1], level="debug")
    asyncio.run(live(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
