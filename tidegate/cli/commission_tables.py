"""What ``tidegate edge verify-report`` shows to people."""

from rich.text import Text

from tidegate.cli.tables import open_console
from tidegate.edge.handover.signature import Verified


def show_verified(verified: Verified) -> None:
    """Show what a report says, once it is known to be intact."""
    console = open_console()
    report = verified.report
    assert report is not None
    counts = ", ".join(f"{number} {word}" for word, number in report.counts.items())
    console.print(Text(f"{verified.file}: as it was signed"))
    console.print(Text(f"gateway {report.gateway}, {report.made_at}, by {report.people.by}"))
    console.print(Text(counts))
    console.print(Text(f"{report.signed_by.kind} key {verified.key}"))
    if verified.trusted:
        console.print(Text("the key belongs to this certificate"))
    elif not verified.problems:
        console.print(Text("compare the key with the one that the installer shows you"))
