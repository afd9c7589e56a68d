"""``tidegate edge commission`` and ``verify-report``: check every point, hand over a signed report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.chosen import pick_devices
from tidegate.cli.outcome import ExitCode, leave, print_json, run_async, say

if TYPE_CHECKING:
    from edge_runtime.settings import ConfiguredDevice, GatewaySettings
    from tidegate.edge.handover.checks import Progress
    from tidegate.edge.handover.comparing import Tolerance
    from tidegate.edge.handover.report import People

File = Annotated[Path, typer.Argument(help="The gateway's settings.", metavar="gateway.yaml")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
GATEWAY = Path("gateway.yaml")


def commission(
    by: Annotated[str, typer.Option(help="Name of the person who checks.")],
    file: File = GATEWAY,
    *,
    customer: Annotated[str, typer.Option(help="Whom it is handed over to.")] = "",
    site: Annotated[str, typer.Option(help="Where the gateway stands.")] = "",
    note: Annotated[str, typer.Option(help="What else the report should say.")] = "",
    device: Annotated[list[str] | None, typer.Option(help="Only this device; repeatable.")] = None,
    expect: Annotated[
        Path | None, typer.Option(help="Ask nobody: compare with this YAML or CSV file.")
    ] = None,
    tolerance: Annotated[str, typer.Option(help="Such as '1 %' or, in the unit, 0.5.")] = "1 %",
    out: Annotated[Path | None, typer.Option(help="Where the report goes.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Forget earlier checks.")] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Ask nothing; report what was checked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every point with the person on site; write a signed report."""
    from tidegate.edge.handover.checks import Verdict, current_checks  # noqa: PLC0415 - quick help
    from tidegate.edge.handover.comparing import parse_tolerance  # noqa: PLC0415
    from tidegate.edge.handover.report import People  # noqa: PLC0415
    from tidegate.edge.loading import load_gateway  # noqa: PLC0415

    try:
        allowed = parse_tolerance(tolerance)
    except ValueError as exc:
        leave(ExitCode.USAGE, str(exc))
    settings = load_gateway(file).settings
    devices = pick_devices(settings.devices, device or (), file)
    progress = _begin(settings, restart=restart)
    if expect is not None:
        progress = _compare(settings, devices, expect, progress, by)
    elif not report_only:
        progress = _walk(settings, devices, progress, by, allowed)
    checks = current_checks(devices, progress)
    left = sum(check.verdict is Verdict.OPEN for check in checks)
    if left and out is None and not (report_only or expect):
        leave(ExitCode.OK, f"{left} points are left: run the same command to go on")
    _report(settings, devices, progress, People(by, customer, site, note), out, as_json=as_json)


def verify_report(
    report: Annotated[Path, typer.Argument(help="The report.", metavar="report.html")],
    certificate: Annotated[
        Path | None, typer.Option(help="The gateway's certificate, or its authority's (PEM).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that a hand-over report is as it was signed."""
    from tidegate.edge.handover.signature import NoReportError, verify  # noqa: PLC0415 - quick help

    for path in (report, certificate):
        if path is not None and not path.is_file():
            leave(ExitCode.NOT_FOUND, f"{path} is not there")
    pem = certificate.read_bytes() if certificate is not None else None
    try:
        verified = verify(report.read_bytes(), str(report), pem)
    except NoReportError as exc:
        leave(ExitCode.PROBLEMS, str(exc))
    if as_json:
        print_json(verified)
    elif verified.report is not None:
        from tidegate.cli.commission_tables import show_verified  # noqa: PLC0415

        show_verified(verified)
    if verified.problems:
        leave(ExitCode.PROBLEMS, "\n".join(verified.problems))


def _begin(settings: "GatewaySettings", *, restart: bool) -> "Progress":
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from tidegate.edge.handover.checks import Progress  # noqa: PLC0415
    from tidegate.edge.handover.keeping import load_progress  # noqa: PLC0415

    now = SystemClock().wall_us()
    if restart:
        return Progress(settings.name, now)
    return load_progress(settings.state_dir, settings.name, now)


def _compare(
    settings: "GatewaySettings",
    devices: "list[ConfiguredDevice]",
    expect: Path,
    progress: "Progress",
    by: str,
) -> "Progress":
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from tidegate.edge.handover.automatic import check_all  # noqa: PLC0415
    from tidegate.edge.handover.expectations import read_expectations  # noqa: PLC0415
    from tidegate.edge.handover.keeping import save_progress  # noqa: PLC0415

    known = {f"{d.settings.name}/{p.name}" for d in settings.devices for p in d.settings.points}
    expectations = read_expectations(expect, known)
    progress = run_async(check_all(devices, expectations, progress, SystemClock(), by))
    save_progress(settings.state_dir, progress)
    return progress


def _walk(
    settings: "GatewaySettings",
    devices: "list[ConfiguredDevice]",
    progress: "Progress",
    by: str,
    tolerance: "Tolerance",
) -> "Progress":
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from tidegate.cli.dialogue import Terminal  # noqa: PLC0415
    from tidegate.edge.handover.keeping import save_progress  # noqa: PLC0415
    from tidegate.edge.handover.walking import Walk  # noqa: PLC0415

    walk = Walk(
        Terminal(),
        SystemClock(),
        run_async,
        lambda done: save_progress(settings.state_dir, done),
        by=by,
        tolerance=tolerance,
    )
    return walk.through(devices, progress)


def _report(
    settings: "GatewaySettings",
    devices: "list[ConfiguredDevice]",
    progress: "Progress",
    people: "People",
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from edge_runtime.durable import write_file  # noqa: PLC0415
    from tidegate import __version__  # noqa: PLC0415
    from tidegate.edge.handover.keys import signing_key  # noqa: PLC0415
    from tidegate.edge.handover.page import file_name, render  # noqa: PLC0415
    from tidegate.edge.handover.report import make_report, problems_left  # noqa: PLC0415
    from tidegate.edge.handover.signature import sign  # noqa: PLC0415

    key = signing_key(settings.state_dir)
    report = make_report(
        settings,
        devices,
        progress,
        people,
        key.signed_by,
        now_us=SystemClock().wall_us(),
        software=__version__,
    )
    path = out or Path(file_name(report))
    write_file(path, sign(render(report), key).encode(), mode=0o644)
    left = problems_left(report)
    if as_json:
        print_json(
            {"report": str(path), "key": key.signed_by, "counts": report.counts, "problems": left}
        )
    else:
        counts = ", ".join(f"{number} {word}" for word, number in report.counts.items())
        say(f"{path}: {counts}")
        say(f"signed with the {key.signed_by.kind} key {key.signed_by.fingerprint}")
    if report.counts["rejected"] or report.counts["open"]:
        leave(ExitCode.PROBLEMS)
