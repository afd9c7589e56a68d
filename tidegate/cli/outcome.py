"""How a command ends: exit codes, messages for people, data for programs.

Data goes to standard output, talk to standard error.
"""

import sys
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import typer

T = TypeVar("T")


class ExitCode(IntEnum):
    """Documented in ``docs/cli.md``."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_SIGNED_IN = 4
    CONFLICT = 5
    PROBLEMS = 6
    UNREACHABLE = 7
    INTERRUPTED = 130


def say(text: str) -> None:
    """Talk to the person."""
    typer.echo(text, err=True)


def leave(code: ExitCode, text: str = "") -> NoReturn:
    """End the command."""
    if text:
        say(text)
    raise typer.Exit(code)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    import asyncio  # noqa: PLC0415 - help must be quick

    return asyncio.run(work)


def print_json(data: object) -> None:
    """Print data for a program: one JSON object, NaN as null, names as in the code."""
    import msgspec  # noqa: PLC0415 - help must be quick

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
    sys.stdout.flush()


def report(error: BaseException) -> ExitCode | None:
    """Tell a person about an error that we know; None for one that is a fault of ours."""
    from cloud_sync import errors as line  # noqa: PLC0415 - help must be quick
    from edge_runtime import errors as edge  # noqa: PLC0415

    if isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        return report(error.exceptions[0])
    codes: tuple[tuple[type[BaseException], ExitCode], ...] = (
        (edge.SettingsError, ExitCode.PROBLEMS),
        (edge.AlreadyRunsError, ExitCode.CONFLICT),
        (edge.DeviceError, ExitCode.UNREACHABLE),
        (edge.EdgeError, ExitCode.FAILED),
        (line.EnrolmentError, ExitCode.NOT_SIGNED_IN),
        (line.IdentityError, ExitCode.NOT_SIGNED_IN),
        (line.LineError, ExitCode.UNREACHABLE),
        (line.SyncError, ExitCode.FAILED),
    )
    for kind, code in codes:
        if isinstance(error, kind):
            say(str(error))
            hint = getattr(error, "hint", "")
            if hint:
                say(f"→ {hint}")
            return code
    return None
