"""Sets of batch numbers as half-open ranges, written as PostgreSQL's ``int8multirange`` does."""

import re
from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]
"""Sorted, apart from each other: ``((1, 5), (7, 9))`` holds 1 to 4 and 7 to 8."""

_RANGE = re.compile(r"\[(\d+),(\d+)\)")


def union(*parts: Iterable[tuple[int, int]]) -> Ranges:
    """Merge ranges; empty ones vanish."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(r for part in parts for r in part if r[0] < r[1]):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def of_numbers(numbers: Iterable[int]) -> Ranges:
    """Make ranges of single numbers."""
    return union((n, n + 1) for n in numbers)


def difference(whole: Ranges, taken: Ranges) -> Ranges:
    """Give what is in ``whole`` and not in ``taken``."""
    rest: list[tuple[int, int]] = []
    for start, high in whole:
        low = start
        for taken_low, taken_high in taken:
            if taken_high <= low or taken_low >= high:
                continue
            if low < taken_low:
                rest.append((low, taken_low))
            low = max(low, taken_high)
        if low < high:
            rest.append((low, high))
    return tuple(rest)


def contains(ranges: Ranges, number: int) -> bool:
    """Tell whether a number is in the set."""
    return any(low <= number < high for low, high in ranges)


def size(ranges: Ranges) -> int:
    """Count the numbers in the set."""
    return sum(high - low for low, high in ranges)


def parse(text: str) -> Ranges:
    """Read ``{[1,5),[7,9)}``.

    Raises:
        ValueError: the text is not a multirange in canonical form.

    """
    found = [(int(low), int(high)) for low, high in _RANGE.findall(text)]
    if render(tuple(found)) != text.replace(" ", ""):
        msg = f"'{text}' is not a multirange such as {{[1,5),[7,9)}}"
        raise ValueError(msg)
    return union(found)


def render(ranges: Ranges) -> str:
    """Write ``{[1,5),[7,9)}``."""
    return "{" + ",".join(f"[{low},{high})" for low, high in ranges) + "}"
