"""What is wrong in a file that people write, said so that it can be mended on a phone."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge_runtime.errors import SettingsError

MAX_PROBLEMS = 50
"""A file with more shows the first ones and their number."""
MAX_SHOWN = 60
"""Longest piece of a file in a message."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing that is wrong, and where. Line 0 means the file as a whole."""

    file: str
    line: int
    column: int
    path: str
    """``devices[2].points[4].scale``; empty for the file as a whole."""
    text: str
    """What was found and what is allowed."""

    def __str__(self) -> str:
        """Give one line: ``gateway.yaml:14: devices[0].intervall_s: unknown field; …``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.text}" if self.path else f"{place}: {self.text}"


class FileProblemsError(SettingsError):
    """A file cannot be used; ``problems`` are all that were found in it."""

    def __init__(self, problems: Sequence[FileProblem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:MAX_PROBLEMS]]
        if len(self.problems) > MAX_PROBLEMS:
            lines.append(f"… and {len(self.problems) - MAX_PROBLEMS} more")
        super().__init__("\n".join(lines), hint=hint)


def dotted(loc: Iterable[str | int]) -> str:
    """Write a path in a document: ``devices[2].points[4].scale``."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


def suggestion(word: str, known: Iterable[str]) -> str:
    """Give ``; did you mean 'interval_s'?``, or nothing where no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def shown(value: object) -> str:
    """Write what was found, short enough for one line."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
