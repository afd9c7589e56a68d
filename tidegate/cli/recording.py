"""``tidegate edge record`` and ``tidegate edge replay``."""

from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidegate.cli.outcome import ExitCode, leave, print_json, run_async, say

if TYPE_CHECKING:
    from edge_runtime.recording.taping import Recorded

Level = Literal["debug", "info", "warning", "error"]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
MAX_SPEED = 1_000.0
MIB = 1 << 20


def record(
    file: Annotated[
        Path, typer.Argument(help="The gateway's settings.", metavar="gateway.yaml")
    ] = Path("gateway.yaml"),
    out: Annotated[Path, typer.Option(help="The recording; must not be there yet.")] = Path(
        "site.tgrec"
    ),
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so long; else at Ctrl-C.", min=0.1)
    ] = None,
    max_mb: Annotated[int, typer.Option(help="Stop at this size.", min=1, max=16_384)] = 256,
    as_json: Json = False,
) -> None:
    """Record what all devices say into one file."""
    from edge_runtime.host.process import run_until_stopped  # noqa: PLC0415 - help must be quick
    from tidegate.cli.logs import set_up  # noqa: PLC0415
    from tidegate.edge.recording import record_gateway  # noqa: PLC0415

    set_up("record", level="warning")
    last: list[Recorded] = []
    work = record_gateway(file, out, seconds=seconds, max_bytes=max_mb * MIB, told=last.append)
    asked = run_async(run_until_stopped(work))
    done = last[-1]
    if as_json:
        print_json(done)
    else:
        say(
            f"{out}: {done.devices} devices, {done.seconds:.0f} s, {done.records} records, "
            f"{done.bytes / MIB:.2f} MiB"
        )
    if done.full:
        leave(ExitCode.PROBLEMS, f"it reached {max_mb} MiB and ended there")
    if asked not in {0, SIGINT}:
        leave(ExitCode.INTERRUPTED)


def replay(  # noqa: PLR0917 - options of a command
    file: Annotated[Path, typer.Argument(help="The recording.", metavar="site.tgrec")],
    speed: Annotated[
        float, typer.Option(help="Times as fast as life, at most.", min=0.01, max=MAX_SPEED)
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False,
    times: Annotated[
        Literal["now", "recorded"], typer.Option(help="As if it happened now, or as it did.")
    ] = "now",
    faults: Annotated[Path | None, typer.Option(help="What goes wrong besides, in YAML.")] = None,
    gateway: Annotated[
        Path | None, typer.Option(help="A gateway.yaml whose rules and outbox count.")
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where the outbox goes; replay-state by default.")
    ] = None,
    log: Annotated[Level, typer.Option(help="Lowest level that is logged.")] = "warning",
    as_json: Json = False,
) -> None:
    """Replay a recording into the ordinary runtime."""
    import asyncio  # noqa: PLC0415 - help must be quick

    from edge_runtime.host.process import run_until_stopped  # noqa: PLC0415
    from tidegate.cli.logs import set_up  # noqa: PLC0415
    from tidegate.edge.recording import Replayed, ReplayOptions, replay_file  # noqa: PLC0415

    set_up("replay", level=log)
    options = ReplayOptions(speed, loop, times, faults, gateway, state_dir)
    done: list[Replayed] = []

    async def work() -> None:
        done.append(await replay_file(file, options))

    asked = asyncio.run(run_until_stopped(work()))
    if done:
        result = done[0]
        if as_json:
            print_json(result)
        else:
            say(
                f"{result.seconds:.0f} s in {result.took_s:.1f} s: {result.readings} readings, "
                f"{result.samples} samples and {result.events} events in the outbox, "
                f"{result.dropped} dropped"
            )
        if result.damage:
            say(f"the recording is not whole: {result.damage}")
    if asked == SIGINT:
        leave(ExitCode.INTERRUPTED)
