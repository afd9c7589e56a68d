"""Text that a device says of itself: shown and written down only after it was made harmless."""

import re

MAX_TEXT = 200
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
MAX_NAME = 24
SHORT = 8
"""Up to so many bytes are shown as hex, with the text that they are beside it."""
MAX_BYTES = 64


def harmless(text: str, most: int = MAX_TEXT) -> str:
    """Take out what steers a terminal or turns the direction of writing; one line of bounded length."""
    return " ".join(_NOT_SHOWN.sub(" ", text[: 4 * most]).split())[:most]


def show_bytes(data: bytes, kind: str = "") -> str:
    """Write the bytes beneath a value: a number as hex, a text as it reads, and never too much."""
    text = _as_text(data) if not kind else ""
    if len(data) <= SHORT:
        return f"{data.hex(' ')} {text}".rstrip()
    if text:
        return text if len(text) <= MAX_BYTES else f"{text[:MAX_BYTES]}… ({len(data)} bytes)"
    if len(data) <= MAX_BYTES // 2:
        return data.hex(" ")
    return f"{data[: MAX_BYTES // 2].hex(' ')} … ({len(data)} bytes)"


def _as_text(data: bytes) -> str:
    """Give the text that bytes are; empty where they are none."""
    try:
        text = data[: 4 * MAX_TEXT].decode()
    except UnicodeDecodeError:
        return ""
    return harmless(text) if text.isprintable() else ""


def name_from(*texts: str) -> str:
    """Make a name for a device out of the first text that gives one; ``device`` where none does.

    A long text is cut behind a word.
    """
    for text in texts:
        name = _NOT_A_NAME.sub("-", text[:MAX_TEXT].casefold()).strip("-")
        if len(name) > MAX_NAME:
            name = name[: MAX_NAME + 1].rpartition("-")[0] or name[:MAX_NAME]
        if name:
            return name
    return "device"
