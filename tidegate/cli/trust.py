"""``tidegate edge trust``: the OPC UA servers whose certificates an installer has confirmed."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.outcome import print_json, say

app = typer.Typer(
    help="Look at OPC UA servers' certificates; trust or reject them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Pki = Annotated[Path, typer.Option("--pki", help="Folder of certificates: a device's 'pki_dir'.")]
Fingerprint = Annotated[
    str, typer.Argument(help="SHA-256 or SHA-1, or the first 8 characters or more of SHA-256.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
FOLDER = Path("pki/opcua")


@app.command("list")
def show(pki: Pki = FOLDER, as_json: Json = False) -> None:
    """List the certificates that servers showed, and what was decided about each."""
    from components.opcua.trust import list_all  # noqa: PLC0415 - help must be quick

    found = list_all(pki)
    if as_json:
        print_json({"certificates": found})
        return
    for one in found:
        typer.echo(f"{one.state:9} {one.fingerprint}  {one.subject}  {one.application_uri}")
    say(f"{sum(1 for one in found if one.state == 'pending')} wait for a decision in {pki}")


@app.command()
def accept(fingerprint: Fingerprint, pki: Pki = FOLDER, as_json: Json = False) -> None:
    """Trust a server's certificate, after comparing its fingerprint with the server's own."""
    from components.opcua.trust import trust  # noqa: PLC0415 - help must be quick

    done = trust(pki, fingerprint)
    if as_json:
        print_json(done)
    say(f"trusted: {done.subject} {done.fingerprint}")


@app.command()
def reject(fingerprint: Fingerprint, pki: Pki = FOLDER, as_json: Json = False) -> None:
    """Refuse a server's certificate for good, also one that was trusted before."""
    from components.opcua.trust import reject as refuse  # noqa: PLC0415 - help must be quick

    done = refuse(pki, fingerprint)
    if as_json:
        print_json(done)
    say(f"rejected: {done.subject} {done.fingerprint}")
