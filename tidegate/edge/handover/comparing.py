"""Whether what was read is what was expected; pure."""

import re
from dataclasses import dataclass

from tidegate.edge.reading import PointRead

MAX_TEXT = 200
ON, OFF = frozenset({"on", "true", "yes", "1"}), frozenset({"off", "false", "no", "0"})
_NUMBER = re.compile(r"[+-]?(\d{1,18})(?:[.,](\d{0,9}))?")
_TOLERANCE = re.compile(r"(\d{1,12}(?:[.,]\d{1,9})?)\s*(%?)")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a value may be from what was expected; the larger of the two counts."""

    absolute: float = 0.0
    share: float = 0.0

    def around(self, expected: float) -> float:
        """Give the tolerance at a value."""
        return max(self.absolute, self.share * abs(expected))


DEFAULT_TOLERANCE = Tolerance(share=0.01)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether it fits, and by how much not."""

    fits: bool
    difference: str = ""


def parse_tolerance(text: str) -> Tolerance:
    """Read ``1 %`` or ``0.5`` (in the point's unit).

    Raises:
        ValueError: it is neither.

    """
    match = _TOLERANCE.fullmatch(text.strip())
    if match is None:
        msg = f"'{text[:MAX_TEXT]}' is no tolerance; write 1 % or, in the point's unit, 0.5"
        raise ValueError(msg)
    number = float(match[1].replace(",", "."))
    return Tolerance(share=number / 100) if match[2] else Tolerance(absolute=number)


def compare(expected: str, read: PointRead, tolerance: Tolerance) -> Comparison:
    """Compare what a display shows with what was read.

    Numbers may differ by the tolerance and by half of the display's last digit.
    """
    if read.value is None:
        return Comparison(fits=False, difference=f"no value: {read.reason or read.quality}")
    text = expected.strip()
    if isinstance(read.value, bool):
        wanted = text.casefold() in ON if text.casefold() in ON | OFF else None
        return _same(wanted is read.value, read)
    if text.casefold() == read.shown.casefold():
        return Comparison(fits=True)
    match = _NUMBER.fullmatch(text)
    if isinstance(read.value, str) or match is None:
        return _same(text.casefold() == str(read.value).casefold(), read)
    number = float(text.replace(",", "."))
    resolution = 0.5 * 10.0 ** -len(match[2] or "")
    difference = float(read.value) - number
    allowed = max(tolerance.around(number), resolution)
    return Comparison(abs(difference) <= allowed * 1.000001, f"{difference:+.6g}")


def _same(same: bool, read: PointRead) -> Comparison:
    return Comparison(same, "" if same else f"reads {read.shown}")
