"""The text of an alert: placeholders are replaced, nothing is evaluated."""

import re
from collections.abc import Mapping

from cloud_sync.wire.samples import Value

PLACEHOLDERS = ("value", "unit", "point", "device", "rule")
MAX_MESSAGE = 500

_BRACES = re.compile(r"\{([^{}]*)\}")


def check_message(text: str) -> None:
    """Check that a message names known placeholders only.

    Raises:
        ValueError: it does not.

    """
    for name in _BRACES.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{p}}}" for p in PLACEHOLDERS)
            msg = f"'{{{name}}}' is no placeholder; known are {known}"
            raise ValueError(msg)
    if "{" in _BRACES.sub("", text) or "}" in _BRACES.sub("", text):
        msg = "a brace stands alone; a placeholder looks like {value}"
        raise ValueError(msg)


def render(text: str, facts: Mapping[str, str]) -> str:
    """Put the facts in; each once, so that a fact with braces in it stays text."""
    return _BRACES.sub(lambda found: facts.get(found[1], ""), text).strip()[:MAX_MESSAGE]


def show_value(value: Value | None, decimals: int | None, labels: Mapping[str, str]) -> str:
    """Write a value for people."""
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"
    return labels.get(str(value), str(value))
