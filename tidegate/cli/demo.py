"""``tidegate demo``: everything at once, on this machine."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.outcome import ExitCode, leave, print_json, say

if TYPE_CHECKING:
    from tidegate.demo import DemoReport, DemoSettings

app = typer.Typer(
    help="Run a simulated plant, a gateway and a cloud with its dashboard.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def demo(
    *,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Stop after so long; without it at Ctrl-C.")
    ] = None,
    outage: Annotated[
        float, typer.Option(min=0, help="Cut the line for so long, in the middle.")
    ] = 0.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end, and nothing else.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Keep everything here; else it is removed at the end.")
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Replay this in the place of a plant."),
    ] = None,
    https_port: Annotated[int, typer.Option(help="For gateways; another if taken.")] = 8443,
    http_port: Annotated[int, typer.Option(help="For the dashboard; another if taken.")] = 8080,
) -> None:
    """Run a simulated plant, a gateway and a cloud with its dashboard, until Ctrl-C."""
    if seconds is not None and outage >= seconds:
        leave(ExitCode.USAGE, f"an outage of {outage:g} s does not fit into {seconds:g} s")
    if seconds is None and (as_json or outage):
        leave(ExitCode.USAGE, "--json and --outage need --seconds")
    from simulators.site.site import Ports  # noqa: PLC0415 - help must be quick
    from tidegate.demo import DemoSettings  # noqa: PLC0415

    ports = Ports(https=https_port, http=http_port)
    settings = DemoSettings(seconds, outage, ports, folder, recording and recording.absolute())
    report = _run(settings, quiet=as_json)
    if as_json:
        print_json(report)
    else:
        _tell(report)
    if report.missing or report.duplicate:
        leave(ExitCode.PROBLEMS)


def _run(settings: "DemoSettings", *, quiet: bool) -> "DemoReport":
    from simulators.site.processes import ProcessEndedError  # noqa: PLC0415 - help must be quick
    from tidegate.demo import run_demo  # noqa: PLC0415

    async def run() -> "DemoReport":
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await run_demo(settings, (lambda _text: None) if quiet else say, stop)

    try:
        return asyncio.run(run())
    except ProcessEndedError as exc:
        leave(ExitCode.FAILED, str(exc))


def _tell(report: "DemoReport") -> None:
    say(
        f"{report.readings_taken:,} readings of {report.points} points, "
        f"{report.samples_accepted:,} samples accepted, {report.samples_in_cloud:,} in the cloud: "
        f"{report.missing} missing, {report.duplicate} duplicate, {report.lost} lost"
    )
    if report.latency_p50_ms is not None:
        say(f"device to browser {report.latency_p50_ms} ms (p50), {report.latency_p99_ms} ms (p99)")
