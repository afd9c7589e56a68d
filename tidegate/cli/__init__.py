"""The command ``tidegate``. Commands import what they need when they run, so that help is quick."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from tidegate import __version__
from tidegate.cli.outcome import ExitCode, report

app = typer.Typer(
    name="tidegate",
    help="An edge-first industrial gateway with cloud sync.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
GROUPS = ("edge", "cloud", "sim", "demo")
"""Modules beside this one that each hold an ``app``; a part that is not installed is left out."""


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Read machines, keep every reading, act on them, let them through."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


for _name in GROUPS:
    if find_spec(f"{__name__}.{_name}"):
        app.add_typer(import_module(f"{__name__}.{_name}").app, name=_name)


def main() -> None:
    """Run a command; every error that we know becomes a message and an exit code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as exc:
        code = report(exc)
        if code is None:
            raise
        sys.exit(code)
