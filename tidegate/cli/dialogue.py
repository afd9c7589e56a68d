"""Question and answer on a terminal; Ctrl-D stops as ``q`` does."""

import sys

from tidegate.cli.outcome import say
from tidegate.edge.foreign_text import harmless

MAX_ANSWER = 500
STOP = "q"


class Terminal:
    """The person at the keyboard; talk goes to standard error, as all talk does."""

    def tell(self, text: str) -> None:
        """Show some lines, without what a device might have put into them."""
        for line in text.split("\n"):
            indent = " " * (len(line) - len(line.lstrip()))
            say(indent + harmless(line))

    def ask(self, question: str) -> str:
        """Ask for one line."""
        sys.stderr.write(f"{question}: ")
        sys.stderr.flush()
        line = sys.stdin.readline(MAX_ANSWER)
        return line.rstrip("\n") if line else STOP
