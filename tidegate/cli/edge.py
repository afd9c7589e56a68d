"""``tidegate edge``: run, check, read, plan, status and verify a gateway on site."""

from pathlib import Path
from signal import SIGINT
from typing import Annotated, Literal

import typer

from tidegate.cli import commission, profile, read, recording, scan, trust
from tidegate.cli.outcome import ExitCode, leave, print_json, run_async, say

app = typer.Typer(
    help="Run and look after a gateway on site.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

File = Annotated[Path, typer.Argument(help="The gateway's settings.", metavar="gateway.yaml")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Level = Literal["debug", "info", "warning", "error"]
GATEWAY = Path("gateway.yaml")

app.command()(read.read)
app.command()(read.solve)
app.command()(scan.scan)
app.command()(commission.commission)
app.command("verify-report")(commission.verify_report)
app.add_typer(profile.app, name="profile")
app.add_typer(trust.app, name="trust")


@app.command()
def run(
    file: File = GATEWAY,
    only: Annotated[
        str | None,
        typer.Option(help="Run one process: runtime, agent or adapter:NAME.", metavar="PART"),
    ] = None,
    log: Annotated[Level, typer.Option(help="Lowest level that is logged.")] = "info",
    parent: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Run the gateway: runtime, agent and adapters, supervised."""
    from edge_runtime.host.process import follow_parent  # noqa: PLC0415 - help must be quick

    if parent and not follow_parent(parent):
        return
    from tidegate.cli.logs import set_up  # noqa: PLC0415
    from tidegate.edge.running import become_supervisor, run_part  # noqa: PLC0415

    if only is None:
        from tidegate.edge.loading import load_gateway  # noqa: PLC0415

        become_supervisor(load_gateway(file).settings, level=log)
    set_up(only, level=log)
    if run_async(run_part(file, only)) == SIGINT:
        leave(ExitCode.INTERRUPTED)


@app.command()
def check(file: File = GATEWAY, as_json: Json = False) -> None:
    """Check settings, profiles and rules; touches no device."""
    from tidegate.edge.checking import check_gateway  # noqa: PLC0415 - help must be quick

    report = check_gateway(file)
    if as_json:
        print_json(report)
    elif report.fine:
        from tidegate.cli.edge_tables import check_table  # noqa: PLC0415

        check_table(report)
    for problem in report.problems:
        place = f"{problem.file}:{problem.line}: " if problem.line else f"{problem.file}: "
        say(f"{place}{problem.path}{': ' if problem.path else ''}{problem.text}")
    if not report.fine:
        count = len(report.problems)
        leave(ExitCode.PROBLEMS, f"{count} problem{'s' if count > 1 else ''}; nothing was started")


@app.command()
def plan(file: File = GATEWAY, as_json: Json = False) -> None:
    """Show what reading will cost: requests, load, age."""
    from tidegate.edge.loading import load_gateway  # noqa: PLC0415 - help must be quick
    from tidegate.edge.planning import plan_gateway  # noqa: PLC0415

    planned = plan_gateway(load_gateway(file).settings)
    if as_json:
        print_json(planned)
    else:
        from tidegate.cli.edge_tables import plan_table  # noqa: PLC0415

        plan_table(planned)
    if not planned.feasible:
        busy = [line.connection for line in planned.lines if line.load > 1]
        leave(ExitCode.PROBLEMS, f"cannot keep its intervals: {', '.join(busy)}")


@app.command()
def status(file: File = GATEWAY, as_json: Json = False) -> None:
    """Show how the gateway is: devices, backlog, line."""
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from tidegate.edge.health import gateway_health  # noqa: PLC0415
    from tidegate.edge.loading import load_gateway  # noqa: PLC0415

    health = gateway_health(load_gateway(file).settings, SystemClock().wall_us())
    if as_json:
        print_json(health)
    else:
        from tidegate.cli.edge_tables import status_table  # noqa: PLC0415

        status_table(health)
    if not health.fine:
        leave(ExitCode.PROBLEMS)


@app.command()
def verify(file: File = GATEWAY, as_json: Json = False) -> None:
    """Compare with the cloud: missing, twice, given up."""
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from tidegate.edge.loading import load_gateway  # noqa: PLC0415
    from tidegate.edge.verifying import verify_gateway  # noqa: PLC0415

    verified = run_async(verify_gateway(load_gateway(file).settings, SystemClock()))
    if as_json:
        print_json(verified)
    else:
        from tidegate.cli.edge_tables import verify_table  # noqa: PLC0415

        verify_table(verified)
    if not verified.complete:
        leave(ExitCode.PROBLEMS, "something is missing or there twice")


app.command()(recording.record)
app.command()(recording.replay)
