"""What tables for people have in common; plain text where the output is no terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "good": "green", "running": "green", "connected": "green",
    "uncertain": "yellow", "late": "yellow", "offline": "yellow",
    "live": "green", "catching_up": "yellow", "waiting": "yellow",
    "bad": "red", "silent": "red", "never": "red", "stopped": "red",
}  # fmt: skip
NONE = "-"
WIDE = 160


def open_console() -> Console:
    """Fit the terminal; wide where the output is none, so that lines stay whole."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def new_table(*columns: str) -> Table:
    """Make a table; a column that ends in ``>`` holds numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.endswith(">")
        table.add_column(column.rstrip(">"), justify="right" if right else "left", overflow="fold")
    return table


def coloured(word: str) -> Text:
    """Colour a word of status; the word alone says it too."""
    return Text(word, style=STYLES.get(word, ""))


def as_time(seconds: float) -> str:
    """Write a duration with the unit that fits."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def as_bytes(count: float) -> str:
    """Write a size in decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - decimal units
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
