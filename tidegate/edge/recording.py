"""``tidegate edge record`` and ``replay``: a site on tape, and the tape in the same runtime."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from cloud_sync.wire.batch import Stream
from edge_runtime.clock import SystemClock
from edge_runtime.declaring import catalogue
from edge_runtime.host.context import Context, Folders
from edge_runtime.host.lock import only_process
from edge_runtime.host.runtime import run_runtime
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.recording.clock import ScaledClock
from edge_runtime.recording.faults import FaultPlan, load_faults
from edge_runtime.recording.replaying import Playback, replayed
from edge_runtime.recording.tape import Recording, read_recording
from edge_runtime.recording.taping import Recorded, record_site
from edge_runtime.rules.binding import load_rules
from edge_runtime.settings import GatewaySettings, load_section
from edge_runtime.status import INTERVAL_S, RuntimeStatus, read_status
from tidegate import __version__
from tidegate.edge.loading import load_gateway

Times = Literal["now", "recorded"]
US = 1_000_000


class ReplayOptions(msgspec.Struct, frozen=True):
    """How to replay."""

    speed: float = 1.0
    loop: bool = False
    times: Times = "now"
    """``now``: as if it happened now, a fast pass ends now; ``recorded``: with its own times."""
    faults: Path | None = None
    gateway: Path | None = None
    """A gateway.yaml whose rules, outbox and cloud count; its devices do not."""
    state_dir: Path | None = None


class Replayed(msgspec.Struct, frozen=True):
    """What became of a replay."""

    seconds: float
    """Of the recording."""
    took_s: float
    readings: int
    samples: int
    """In the outbox now, with what was there before."""
    events: int
    dropped: int
    damage: str
    """What is wrong with the recording's end."""


async def record_gateway(
    file: Path,
    out: Path,
    *,
    seconds: float | None,
    max_bytes: int,
    told: Callable[[Recorded], None],
) -> None:
    """Record the devices of gateway.yaml; cancelling ends it well.

    Raises:
        SettingsError: what is wrong in the files.
        StoreError: the recording cannot be written.

    """
    settings = load_gateway(file).settings
    await record_site(
        settings,
        out,
        SystemClock(),
        software=__version__,
        max_bytes=max_bytes,
        seconds=seconds,
        told=told,
    )


async def replay_file(path: Path, options: ReplayOptions) -> Replayed:
    """Run the ordinary runtime on a recording's devices, once or until it is cancelled.

    Raises:
        SettingsError: faults, rules or settings are wrong.
        StoreError: the recording or the state folder cannot be used.
        AlreadyRunsError: a runtime uses the state folder.

    """
    recording = read_recording(path)
    names = [str(device.settings.get("name", "")) for device in recording.header.devices]
    faults = load_faults(options.faults, names) if options.faults else FaultPlan()
    section = _section(path, recording, options)
    clock = ScaledClock(options.speed, start_us(recording, options, SystemClock().wall_us()))
    playback = Playback(clock, recording, loop=options.loop, faults=faults)
    settings = section.model_copy(update={"devices": replayed(playback)})
    rules = load_rules(settings.rules, catalogue(settings)) if settings.rules else ()
    began = asyncio.get_running_loop().time()
    with only_process(settings.state_dir, "runtime"):
        context = Context(settings, clock, __version__, status_s=INTERVAL_S * options.speed)
        running = asyncio.create_task(run_runtime(context, rules))
        ending = asyncio.create_task(_end(playback))
        try:
            await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    took_s = asyncio.get_running_loop().time() - began
    return _result(settings, recording, clock, took_s)


def start_us(recording: Recording, options: ReplayOptions, now_us: int) -> int:
    """Give the replay's first moment: a pass that is faster than life begins in the past."""
    if options.times == "recorded":
        return recording.header.started_us
    ahead = recording.length_us * (1 - 1 / options.speed) if options.speed > 1 else 0.0
    return now_us - round(ahead)


def _section(path: Path, recording: Recording, options: ReplayOptions) -> GatewaySettings:
    if options.gateway is None:
        state_dir = (options.state_dir or Path("replay-state")).absolute()
        return GatewaySettings(
            name=recording.header.gateway, state_dir=state_dir, file=path.absolute()
        )
    section = load_section(options.gateway)
    if options.state_dir is None:
        return section
    return section.model_copy(update={"state_dir": options.state_dir.absolute()})


async def _end(playback: Playback) -> None:
    """Wait until a replay that is no loop is over."""
    await playback.begun.wait()
    if playback.loop:
        await asyncio.Event().wait()
    else:
        await playback.clock.sleep(playback.length_s)


def _result(
    settings: GatewaySettings, recording: Recording, clock: ScaledClock, took_s: float
) -> Replayed:
    folders = Folders(settings.state_dir)
    status = read_status(folders.run, "runtime", RuntimeStatus)
    reader = OutboxReader(folders.outbox)
    try:
        stored = {
            s: reader.weigh(s, reader.stored(s)).samples for s in (Stream.SAMPLES, Stream.EVENTS)
        }
    finally:
        reader.close()
    return Replayed(
        seconds=round(clock.monotonic(), 3),
        took_s=round(took_s, 3),
        readings=status.readings if status is not None else 0,
        samples=stored[Stream.SAMPLES],
        events=stored[Stream.EVENTS],
        dropped=status.outbox.dropped if status is not None else 0,
        damage=recording.damage,
    )
