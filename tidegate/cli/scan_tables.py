"""What ``tidegate edge scan`` shows; fits a phone's terminal of 40 columns."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.padding import Padding
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
    if not session.scanned.complete and not session.scanned.interrupted:
        console.print(Text("not everything was looked at: --max-requests ended it", style="yellow"))


def show_proposals(session: Session, numbers: Iterable[int]) -> None:
    """Show some of the proposals again, with the values that they have by now."""
    console = open_console()
    for number in numbers:
        _show(console, number, session.proposals[number - 1])


def _show(console: Console, number: int, proposal: Proposed) -> None:
    console.print(Text(f"{number}. {proposal.title or proposal.protocol}", style="bold"))
    for line in _lines(proposal):
        console.print(Padding(line, (0, 0, 0, 3), expand=False))


def _lines(proposal: Proposed) -> Iterator[Text]:
    yield Text(f"{proposal.protocol} {proposal.address}")
    if proposal.identity:
        yield Text(f"identity {proposal.identity}")
    if proposal.known_as:
        moved = f", there at {proposal.moved_from}" if proposal.moved_from else ""
        yield Text(f"is '{proposal.known_as}' of the file{moved}", style="yellow")
    elif proposal.fields:
        points = len(proposal.fields.get("points", ()))
        by = f"profile {proposal.profile}" if proposal.profile else f"{points} points"
        yield Text(f"as '{proposal.name}' with {by}")
    for other in proposal.profiles:
        if other != proposal.profile:
            yield Text(f"fits too: {other}")
    for value in proposal.values[:SHOWN_VALUES]:
        line = Text(f"{value.point} {value.shown} {value.unit}".rstrip() + " ")
        if value.quality != "good":
            line.append_text(coloured(value.quality)).append(f" {value.reason}")
        yield line
    if len(proposal.values) > SHOWN_VALUES:
        yield Text(f"… {len(proposal.values) - SHOWN_VALUES} more points")
    for note in proposal.notes:
        yield Text(f"note: {note}", style="yellow")
