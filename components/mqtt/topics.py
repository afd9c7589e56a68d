"""Topic names and filters (3.1.1 4.7): check, fill in, match; pure.

A filter's ``+`` stands for one level, a ``#`` at the end for all the rest, and neither matches a
first level that begins with ``$``.
"""

import re
from collections.abc import Mapping
from typing import Generic, TypeVar

from components.mqtt.limits import MAX_LEVELS, MAX_TOPIC

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_BAD = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

T = TypeVar("T")


def wrong_filter(text: str) -> str:
    """Say what is wrong with a topic filter; empty for nothing."""
    if wrong := _wrong(text):
        return wrong
    levels = text.split("/")
    for place, level in enumerate(levels, 1):
        if len(level) > 1 and ("+" in level or "#" in level):
            return f"level {place} '{level}' mixes a wildcard with text; '+' and '#' stand alone"
        if level == "#" and place < len(levels):
            return "'#' may only be the last level"
    return ""


def wrong_topic(text: str) -> str:
    """Say what is wrong with a topic that is published on; empty for nothing."""
    if "+" in text or "#" in text:
        return "a topic to publish on has no wildcards"
    return _wrong(text)


def _wrong(text: str) -> str:
    if not text or len(text) > MAX_TOPIC:
        return f"a topic has 1 to {MAX_TOPIC} characters"
    if _BAD.search(text):
        return "a topic has no control characters"
    if text.count("/") >= MAX_LEVELS:
        return f"a topic has at most {MAX_LEVELS} levels"
    return ""


def filled(template: str, values: Mapping[str, str]) -> str:
    """Put values in the place of ``{name}``.

    Raises:
        ValueError: a name has no value.

    """

    def value(found: re.Match[str]) -> str:
        try:
            return values[found[1]]
        except KeyError:
            known = ", ".join(sorted(values))
            msg = f"'{template}': no placeholder '{found[1]}'; there are {known}"
            raise ValueError(msg) from None

    return PLACEHOLDER.sub(value, template)


class _Branch(Generic[T]):
    __slots__ = ("branches", "here")

    def __init__(self) -> None:
        self.branches: dict[str, _Branch[T]] = {}
        self.here: list[T] = []


class TopicTree(Generic[T]):
    """What is kept under topic filters, found by topic: the work grows with the topic's levels."""

    def __init__(self) -> None:
        self._root: _Branch[T] = _Branch()

    def add(self, topic_filter: str, item: T) -> None:
        """Keep an item under a filter."""
        branch = self._root
        for level in topic_filter.split("/"):
            branch = branch.branches.setdefault(level, _Branch())
        branch.here.append(item)

    def remove(self, topic_filter: str, item: T) -> None:
        """Forget an item; one that is not there is no error."""
        path = [self._root]
        levels = topic_filter.split("/")
        for level in levels:
            branch = path[-1].branches.get(level)
            if branch is None:
                return
            path.append(branch)
        if item in path[-1].here:
            path[-1].here.remove(item)
        for level, parent, branch in zip(
            reversed(levels), reversed(path[:-1]), reversed(path[1:]), strict=True
        ):
            if branch.here or branch.branches:
                break
            del parent.branches[level]

    def under(self, topic_filter: str) -> tuple[T, ...]:
        """Give what lies under exactly this filter."""
        branch = self._root
        for level in topic_filter.split("/"):
            found = branch.branches.get(level)
            if found is None:
                return ()
            branch = found
        return tuple(branch.here)

    def match(self, topic: str) -> tuple[T, ...]:
        """Give what lies under the filters that match a topic, each once."""
        found: list[T] = []
        self._collect(self._root, topic.split("/"), 0, found)
        return tuple(dict.fromkeys(found))

    def _collect(self, branch: _Branch[T], levels: list[str], depth: int, found: list[T]) -> None:
        hidden = depth == 0 and levels[0].startswith("$")
        if not hidden and "#" in branch.branches:
            found += branch.branches["#"].here
        if depth == len(levels):
            found += branch.here
            return
        for level in (levels[depth],) if hidden else (levels[depth], "+"):
            if level in branch.branches:
                self._collect(branch.branches[level], levels, depth + 1, found)
