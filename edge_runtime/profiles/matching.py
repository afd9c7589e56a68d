"""Which device profile fits what a device says of itself; pure."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from edge_runtime.profiles.loader import Identification, Profile, ProfileHead

NOT_A_WORD = re.compile(r"[^\w*]+")
MAX_TEXT = 500
IDENTIFIED = 10
SAME_NAMES = 5


def matching_profiles(
    profiles: Iterable[Profile], *, vendor: str, model: str, title: str
) -> list[str]:
    """Name the profiles that fit, the best first; what fits equally well in the order of names."""
    scores = {p.head.profile: score(p.head, vendor, model, title) for p in profiles}
    fitting = [name for name, points in scores.items() if points]
    return sorted(fitting, key=lambda name: (-scores[name], name))


def score(head: ProfileHead, vendor: str, model: str, title: str) -> int:
    """Tell how well a profile fits; 0 where it does not."""
    said = {"vendor": _plain(vendor), "model": _plain(model), "title": _plain(title)}
    identified = [_score_of(identification, said) for identification in head.matches]
    same = bool(model) and said["model"] == _plain(head.model)
    same = same and said["vendor"] in {"", _plain(head.vendor)}
    return max([*identified, SAME_NAMES if same else 0])


def _score_of(identification: Identification, said: dict[str, str]) -> int:
    """More texts, and longer ones, say more."""
    wanted = {name: _plain(text) for name, text in identification if text}
    if not all(fnmatchcase(said[name], text) for name, text in wanted.items()):
        return 0
    return IDENTIFIED + sum(len(text.replace("*", "")) for text in wanted.values())


def _plain(text: str) -> str:
    return NOT_A_WORD.sub("", text[:MAX_TEXT].casefold())
