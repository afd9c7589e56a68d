"""What ``tidegate edge scan`` shows; fits a phone's terminal of 40 columns."""

from rich.console import Console
from rich.text import Text

from tidegate.cli.tables import coloured, open_console
from tidegate.edge.proposing import Proposed
from tidegate.edge.scan_session import Session

SHOWN_VALUES = 6


def show_scan(session: Session) -> None:
    """Show what was found, with live values."""
    console = open_console()
    for number, proposal in enumerate(session.proposals, 1):
        _show(console, number, proposal)
    for note in session.notes:
        console.print(Text(f"note: {note}"))
    for skipped in session.scanned.skipped:
        console.print(Text(f"{skipped.protocol}: {skipped.reason}"))
    count = len(session.proposals)
    console.print(
        f"{count} device{'' if count == 1 else 's'} found with {session.scanned.requests} requests"
    )
    if not session.scanned.complete:
        console.print(Text("not everything was looked at: --max-requests ended it", style="yellow"))


def _show(console: Console, number: int, proposal: Proposed) -> None:
    console.print(Text(f"{number}. {proposal.title or proposal.protocol}", style="bold"))
    console.print(Text(f"   {proposal.protocol} {proposal.address}"))
    if proposal.identity:
        console.print(Text(f"   identity {proposal.identity}"))
    if proposal.known_as:
        moved = f", there at {proposal.moved_from}" if proposal.moved_from else ""
        console.print(Text(f"   is '{proposal.known_as}' of the file{moved}", style="yellow"))
    elif proposal.fields:
        points = len(proposal.fields.get("points", ()))
        by = f"profile {proposal.profile}" if proposal.profile else f"{points} points"
        console.print(Text(f"   as '{proposal.name}' with {by}"))
    for other in proposal.profiles:
        if other != proposal.profile:
            console.print(Text(f"   fits too: {other}"))
    for value in proposal.values[:SHOWN_VALUES]:
        line = Text(f"   {value.point} {value.shown} {value.unit}".rstrip() + " ")
        if value.quality != "good":
            line.append_text(coloured(value.quality)).append(f" {value.reason}")
        console.print(line)
    if len(proposal.values) > SHOWN_VALUES:
        console.print(f"   … {len(proposal.values) - SHOWN_VALUES} more points")
    for note in proposal.notes:
        console.print(Text(f"   note: {note}", style="yellow"))
