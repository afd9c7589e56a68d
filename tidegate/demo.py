"""The demo: a simulated plant, a gateway, its line and a cloud, on this machine and for real."""

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from simulators.site.browser import Browser, sign_in
from simulators.site.site import Ports, Site, run_site, site_folder
from simulators.site.watcher import Watcher

FIRST_VALUE_S = 30.0
"""Longest wait for the first live value."""
CHECK_S = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """How the demo runs. ``seconds`` None: until Ctrl-C."""

    seconds: float | None = None
    outage_s: float = 0.0
    """Cut the line for so long, in the middle of the run."""
    ports: Ports = field(default_factory=lambda: Ports(https=8443, http=8080))
    folder: Path | None = None
    """Keep everything here; None: a temporary folder that is removed at the end."""
    recording: Path | None = None
    """Replay this in the place of simulated devices."""


class DemoReport(msgspec.Struct, frozen=True, omit_defaults=False):
    """What one run came to."""

    gateways: int
    points: int
    readings_taken: int
    """Values read from devices, good or bad."""
    samples_accepted: int
    """Readings worth sending that the gateway made durable."""
    samples_in_cloud: int
    missing: int
    duplicate: int
    lost: int
    latency_p50_ms: float | None
    """From the gateway's reading to a browser's live event; back-filled values not counted."""
    latency_p99_ms: float | None
    first_value_s: float | None
    """From the start of everything to the first live value."""
    alerts: int
    """Alert events that reached the browser."""
    outage_s: float


async def run_demo(settings: DemoSettings, say: Say, stop: asyncio.Event) -> DemoReport:
    """Run the demo until its time is over or ``stop`` is set; then count both ends.

    Raises:
        ProcessEndedError: a part of the demo ended by itself.

    """
    started = time.monotonic()
    source = "a plant of every protocol" if settings.recording is None else "a recorded site"
    say(f"starting {source}, a cloud and a gateway …")
    with site_folder(settings.folder) as folder:
        async with run_site(
            folder, settings.ports, whole=True, recording=settings.recording
        ) as site:
            link = await site.settle_in()
            await site.start_gateway()
            async with sign_in(site.page, link) as http, _watching(http) as watcher:
                show = _Show(site, watcher, say, stop)
                first_s = await _first_value(show, started)
                _introduce(site, await site.sign_in_link(), first_s, say)
                await _run(show, settings)
                points = await _count_points(http)
                say("stopping the gateway and counting both ends …")
                await site.stop_gateway()
                account = await site.account()
            return DemoReport(
                gateways=1,
                points=points,
                readings_taken=site.status().get("readings", 0),
                samples_accepted=account.accepted,
                samples_in_cloud=account.arrived,
                missing=account.missing,
                duplicate=account.duplicate,
                lost=account.lost,
                latency_p50_ms=watcher.latency_ms(0.5),
                latency_p99_ms=watcher.latency_ms(0.99),
                first_value_s=first_s,
                alerts=len(watcher.alerts),
                outage_s=settings.outage_s,
            )


@dataclass(frozen=True, slots=True)
class _Show:
    """What goes on while the demo runs."""

    site: Site
    watcher: Watcher
    say: Say
    stop: asyncio.Event

    async def wait(self, seconds: float | None) -> None:
        """Wait for so long or until told to stop, and notice what ends that should not."""
        end = math.inf if seconds is None else time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.stop.is_set():
            self.site.check()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(CHECK_S, left)):
                    await self.stop.wait()

    async def cut(self) -> None:
        """Cut the line."""
        await self.site.line.cut()
        self.watcher.line_down_ms.append((time.time() * 1000, math.inf))

    async def mend(self) -> None:
        """Mend the line."""
        await self.site.line.restore()
        cut_ms, _ = self.watcher.line_down_ms.pop()
        self.watcher.line_down_ms.append((cut_ms, time.time() * 1000))


async def _run(show: _Show, settings: DemoSettings) -> None:
    if settings.seconds is None:
        show.say("Enter cuts the line, Enter again mends it. Ctrl-C stops everything.")
        keyboard = asyncio.create_task(_obey_keyboard(show))
        await show.wait(None)
        keyboard.cancel()
        return
    around = (settings.seconds - settings.outage_s) / 2
    await show.wait(around)
    if settings.outage_s:
        await show.cut()
        show.say(f"the line is cut for {settings.outage_s:g} s")
        await show.wait(settings.outage_s)
        await show.mend()
        show.say("the line is back")
    await show.wait(around)


async def _obey_keyboard(show: _Show) -> None:
    """Cut and mend the line in turn whenever Enter is pressed."""
    if not sys.stdin.isatty():
        return
    loop = asyncio.get_running_loop()
    pressed: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin, lambda: pressed.put_nowait(sys.stdin.readline()))
    try:
        while await pressed.get():
            await show.cut()
            show.say("the line is cut; the gateway goes on reading. Enter mends it.")
            if await pressed.get():
                await show.mend()
                show.say("the line is back; watch it catch up. Enter cuts it again.")
    finally:
        loop.remove_reader(sys.stdin)


@asynccontextmanager
async def _watching(http: Browser) -> AsyncIterator[Watcher]:
    watcher = Watcher()
    task = asyncio.create_task(watcher.follow(http))
    try:
        yield watcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _first_value(show: _Show, started: float) -> float | None:
    """Wait for the first live value, and tell how long after the start it came."""
    seen = show.watcher.first_value
    end = time.monotonic() + FIRST_VALUE_S
    while not (seen.is_set() or show.stop.is_set()) and time.monotonic() < end:
        show.site.check()
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_S):
                await seen.wait()
    return round(time.monotonic() - started, 2) if seen.is_set() else None


def _introduce(site: Site, link: str, first_s: float | None, say: Say) -> None:
    say(f"live after {first_s} s\n" if first_s else "no live value yet\n")
    say(f"  dashboard  {site.page}")
    say(f"  sign in    {link}")
    say("             (works once, within the hour)")
    say(f"  gateway    {site.gateway_file}")
    say(f"  cloud      {site.settings.state_dir}")
    say(f"  logs       {site.folder}/*.log\n")


async def _count_points(http: Browser) -> int:
    answer = await http.get("/v1/gateways")
    answer.raise_for_status()
    return sum(gateway["points"]["total"] for gateway in answer.json()["gateways"])
