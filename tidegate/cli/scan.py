"""``tidegate edge scan``: look for devices, and put those that a person picks into gateway.yaml."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.outcome import ExitCode, leave, print_json, run_async, say

if TYPE_CHECKING:
    from edge_runtime.discovery import ScanTarget
    from edge_runtime.driver import Driver
    from tidegate.edge.scan_session import Session

ALL = "all"


def scan(
    protocol: Annotated[str, typer.Argument(help="A protocol, or all.")],
    targets: Annotated[
        list[str] | None, typer.Argument(help="Addresses, networks, serial ports.")
    ] = None,
    *,
    timeout: Annotated[
        float, typer.Option(help="Longest wait for one answer, in seconds.", min=0.01, max=60)
    ] = 1.0,
    max_requests: Annotated[
        int, typer.Option(help="Send no more than this.", min=1, max=1_000_000)
    ] = 2_000,
    pause: Annotated[
        float, typer.Option(help="Seconds between two requests.", min=0, max=60)
    ] = 0.0,
    option: Annotated[
        list[str] | None, typer.Option(help="What one protocol knows, such as units=1-20.")
    ] = None,
    profile: Annotated[str, typer.Option(help="Profile for what none fits.")] = "",
    into: Annotated[Path | None, typer.Option(help="Add what is picked to this file.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be added; save nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Add all that is new and reads; do not ask.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look for devices; show them with live values; save what is picked."""
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from edge_runtime.discovery import ScanTarget  # noqa: PLC0415
    from tidegate.edge.scan_session import open_session  # noqa: PLC0415

    if into is not None and not (yes or dry_run or (sys.stdin.isatty() and not as_json)):
        leave(ExitCode.USAGE, "nobody can be asked here: say --yes to add all, or --dry-run")
    if into is not None and not into.is_file():
        leave(ExitCode.NOT_FOUND, f"{into} is not there; its first line is 'gateway: {{name: …}}'")
    target = ScanTarget(tuple(targets or ()), timeout, max_requests, pause, _options(option or ()))
    session = open_session(_drivers(protocol), into, SystemClock(), profile)
    run_async(_look(session, target))
    if as_json and not yes and not dry_run:
        print_json(session.as_json())
    elif not as_json:
        from tidegate.cli.scan_tables import show_scan  # noqa: PLC0415

        show_scan(session)
    if into is not None:
        _add(session, into, yes=yes, dry_run=dry_run, as_json=as_json)
    elif not as_json and any(p.addable for p in session.proposals):
        say("nothing was saved; --into gateway.yaml adds what you pick")


async def _look(session: "Session", target: "ScanTarget") -> None:
    from tidegate.cli.progress import progress_line  # noqa: PLC0415 - help must be quick
    from tidegate.edge.foreign_text import harmless  # noqa: PLC0415

    with progress_line() as show:
        await session.scan(
            target,
            lambda protocol, p: show(
                f"{protocol} {p.done}{f'/{p.total}' if p.total else ''} "
                f"{harmless(p.doing)} · {p.requests} requests"
            ),
        )
        await session.propose(lambda address: show(f"reading {harmless(address)}"))


def _drivers(protocol: str) -> "list[Driver]":
    from components.drivers import find_driver, known_protocols  # noqa: PLC0415 - see above
    from edge_runtime.errors import SettingsError  # noqa: PLC0415

    if protocol != ALL:
        if protocol not in known_protocols():
            known = ", ".join((*known_protocols(), ALL))
            leave(ExitCode.NOT_FOUND, f"no driver for '{protocol}'; there are {known}")
        return [find_driver(protocol)]
    found = []
    for name in known_protocols():
        try:
            found.append(find_driver(name))
        except SettingsError as exc:
            say(f"{name} is left out: {exc}")
    return [driver for driver in found if driver.discover is not None]


def _options(words: Sequence[str]) -> dict[str, str]:
    options = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            leave(ExitCode.USAGE, f"--option {word}: write it as name=value, such as units=1-20")
        options[key] = value
    return options


def _add(session: "Session", into: Path, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    new = [number for number, p in enumerate(session.proposals, 1) if p.sound]
    picked = dict.fromkeys(new, "")
    if not (yes or dry_run):
        picked = _ask(session, new)
    run_async(session.pick(picked))
    if dry_run:
        if as_json:
            print_json(session.as_json())
        elif session.picked:
            sys.stdout.write(session.text())
            say(f"nothing was saved; this would be added to {into}")
        return
    if session.picked and (yes or _confirmed(session, into, picked)):
        session.save()
    if as_json:
        print_json(session.as_json())
    elif session.backup is not None:
        names = ", ".join(p.name for p in session.picked)
        say(f"added to {into}: {names}; before: {session.backup.name}")
        say("next: tidegate edge read --raw, then tidegate edge commission")
    else:
        say("nothing was saved")


def _ask(session: "Session", new: Sequence[int]) -> dict[int, str]:
    from tidegate.edge.choosing import parse_choice  # noqa: PLC0415 - help must be quick

    open_numbers = [n for n, p in enumerate(session.proposals, 1) if not p.known_as]
    if not open_numbers:
        return {}
    say("pick: 1,3-5 or 2=profile-name, all, none")
    while True:
        default = "all" if new else "none"
        text = typer.prompt("Add which?", default=default, err=True)
        try:
            picked = parse_choice(text, len(session.proposals))
        except ValueError as exc:
            say(str(exc))
            continue
        return picked if text.strip().lower() not in {"all", "a"} else dict.fromkeys(new, "")


def _confirmed(session: "Session", into: Path, picked: dict[int, str]) -> bool:
    from tidegate.cli.scan_tables import show_proposals  # noqa: PLC0415 - help must be quick

    show_proposals(session, [number for number, profile in picked.items() if profile])
    say("")
    sys.stderr.write(session.text())
    return typer.confirm(f"Write this to {into}?", default=True, err=True)
