"""One line on a terminal that says how far something is; nothing where there is no terminal."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

MIN_WIDTH = 20


class Show(Protocol):
    """Replaces the line."""

    def __call__(self, text: str) -> None:
        """Show a text, cut to the width of the terminal."""
        ...


@contextmanager
def progress_line() -> Iterator[Show]:
    """Give a line on standard error; it is wiped away at the end."""
    stream = sys.stderr
    live = stream.isatty()

    def show(text: str) -> None:
        if live:
            width = max(MIN_WIDTH, shutil.get_terminal_size().columns - 1)
            stream.write(f"\r\x1b[2K{text[:width]}")
            stream.flush()

    try:
        yield show
    finally:
        show("")
