"""What a person picks from a numbered list: ``1,3-5``, ``2=eastron-sdm630``, ``all``; pure."""

import re

MAX_TEXT = 1_000
_PART = re.compile(r"(\d{1,4})(?:-(\d{1,4})|=([a-z0-9-]{1,63}))?")


def parse_choice(text: str, count: int) -> dict[int, str]:
    """Give the picked numbers, each with the profile that was named for it or nothing.

    Raises:
        ValueError: it is no choice from ``count`` items.

    """
    words = text[:MAX_TEXT].lower().replace(",", " ").split()
    if not words or words in (["none"], ["n"], ["no"]):
        return {}
    if words in (["all"], ["a"]):
        return dict.fromkeys(range(1, count + 1), "")
    picked: dict[int, str] = {}
    for word in words:
        match = _PART.fullmatch(word)
        if match is None:
            msg = f"'{word}' is no choice; write 1,3-5 or 2=profile-name, all or none"
            raise ValueError(msg)
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= count:
            msg = f"'{word}': there are 1 to {count}"
            raise ValueError(msg)
        picked |= dict.fromkeys(range(first, last + 1), match[3] or "")
    return picked
