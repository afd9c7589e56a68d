"""YAML that people write, read strictly: every value knows its file and line.

Safe tags only, no duplicate keys, bounded size, node count and depth (aliases count each time they
are used, so a file cannot unfold into a bomb).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from edge_runtime.problems import FileProblem, FileProblemsError, dotted

MAX_FILE_BYTES = 4 << 20
MAX_NODES = 500_000
MAX_DEPTH = 32

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Marked:
    """A scalar, a ``list[Marked]`` or a ``dict[key, Marked]``, and where it stands.

    A value in a mapping carries the place of its key.
    """

    value: Any
    mark: Mark

    def entries(self) -> Mapping[Any, "Marked"]:
        """Give the entries of a mapping; nothing for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> Sequence["Marked"]:
        """Give the items of a list; nothing for anything else."""
        return self.value if isinstance(self.value, list) else ()

    def plain(self) -> Any:
        """Take the marks off."""
        if isinstance(self.value, dict):
            return {key: value.plain() for key, value in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def text(self, key: str) -> str:
        """Give a text entry of a mapping; empty where there is none or it is no text."""
        entry = self.entries().get(key)
        return entry.value if entry is not None and isinstance(entry.value, str) else ""

    def at(self, loc: Loc) -> "Marked":
        """Follow a path as far as it exists."""
        node = self
        for key in loc:
            inner = node._step(key)
            if inner is None:
                break
            node = inner
        return node

    def _step(self, key: str | int) -> "Marked | None":
        if isinstance(self.value, list):
            inside = isinstance(key, int) and key < len(self.value)
            return self.value[int(key)] if inside else None
        return self.entries().get(key)


def read_marked(path: Path, *, without: Collection[str] = ()) -> Marked:
    """Read a YAML file; sections of its top level named in ``without`` are passed over.

    Raises:
        FileProblemsError: it cannot be read, is no safe YAML, is too large or repeats a key.

    """
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MAX_FILE_BYTES else ""
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise FileProblemsError(
            [FileProblem(str(path), 0, 0, "", f"cannot be read: {reason}")]
        ) from exc
    if size > MAX_FILE_BYTES:
        text = f"has {size} bytes; at most {MAX_FILE_BYTES} are read"
        raise FileProblemsError([FileProblem(str(path), 0, 0, "", text)])
    return parse_marked(text, str(path), without=without)


def parse_marked(text: str, file: str, *, without: Collection[str] = ()) -> Marked:
    """Parse YAML text; ``file`` is the name for messages.

    Raises:
        FileProblemsError: see :func:`read_marked`.

    """
    try:
        return _Builder(file, yaml.parse(text, Loader=yaml.CSafeLoader), without).document()
    except yaml.MarkedYAMLError as exc:
        place = exc.problem_mark or exc.context_mark
        line, column = (place.line + 1, place.column + 1) if place else (0, 0)
        text = f"not YAML: {exc.problem or exc.context}"
        raise FileProblemsError([FileProblem(file, line, column, "", text)]) from exc
    except yaml.YAMLError as exc:
        raise FileProblemsError([FileProblem(file, 0, 0, "", f"not YAML: {exc}")]) from exc


class _Builder:
    """Turns the events of a YAML parser into marked values within the limits.

    Without nodes in between: a file of 10,000 points costs a third of the time and of the memory.
    """

    def __init__(self, file: str, events: Iterator[yaml.Event], without: Collection[str]) -> None:
        self._file = file
        self._events = events
        self._without = frozenset(without)
        self._left = MAX_NODES
        self._anchors: dict[str, tuple[Marked, int] | None] = {}
        """Value and number of nodes by anchor; None while the value is being built."""

    def document(self) -> Marked:
        for event in self._events:
            if isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
                continue
            if isinstance(event, yaml.StreamEndEvent):
                break
            built = self._value(event, (), self._mark(event))
            next(self._events)
            more = next(self._events)
            if not isinstance(more, yaml.StreamEndEvent):
                raise self._error(more, (), "a second document begins; one is read")
            if built.value is not None:
                return built
        raise FileProblemsError([FileProblem(self._file, 1, 1, "", "is empty")])

    def _mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        return (
            Mark(self._file, start.line + 1, start.column + 1) if start else Mark(self._file, 0, 0)
        )

    def _value(self, event: yaml.Event, loc: Loc, mark: Mark) -> Marked:
        self._count(1, event, loc)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, loc, mark)
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            raise self._error(event, loc, "a value is missing")
        anchor, before = event.anchor, self._left
        if anchor is not None:
            self._anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            built = Marked(self._scalar(event, loc), mark)
        elif event.tag not in _PLAIN_TAGS:
            raise self._error(event, loc, f"the tag '{event.tag}' is not allowed")
        elif isinstance(event, yaml.MappingStartEvent):
            built = Marked(self._mapping(loc), mark)
        else:
            built = Marked(self._sequence(loc), mark)
        if anchor is not None:
            self._anchors[anchor] = (built, before - self._left)
        return built

    def _alias(self, event: yaml.AliasEvent, loc: Loc, mark: Mark) -> Marked:
        name = event.anchor or ""
        found = self._anchors.get(name)
        if found is None:
            text = f"'*{name}' " + ("holds itself" if name in self._anchors else "is named nowhere")
            raise self._error(event, loc, text)
        self._count(found[1], event, loc)
        return Marked(found[0].value, mark)

    def _mapping(self, loc: Loc) -> dict[Any, Marked]:
        built: dict[Any, Marked] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, loc, "a key must be a plain word or number")
            key, mark = self._scalar(event, loc), self._mark(event)
            if key in built:
                first = built[key].mark.line
                raise self._error(event, (*loc, key), f"stands twice, first in line {first}")
            if not loc and key in self._without:
                self._pass_over()
                built[key] = Marked(None, mark)
            else:
                built[key] = self._value(next(self._events), (*loc, key), mark)
        return built

    def _sequence(self, loc: Loc) -> list[Marked]:
        built: list[Marked] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            built.append(self._value(event, (*loc, len(built)), self._mark(event)))
        return built

    def _pass_over(self) -> None:
        depth = 0
        for event in self._events:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return

    def _scalar(self, event: yaml.ScalarEvent, loc: Loc) -> Any:
        if event.tag is None and not event.implicit[0]:
            return event.value
        try:
            return _construct(event.value, event.tag)
        except (yaml.YAMLError, ValueError) as exc:
            raise self._error(event, loc, f"not a plain value: '{event.value}'") from exc

    def _count(self, nodes: int, event: yaml.Event, loc: Loc) -> None:
        self._left -= nodes
        if self._left < 0 or len(loc) > MAX_DEPTH:
            limit = f"more than {MAX_NODES} values or {MAX_DEPTH} levels"
            raise self._error(event, loc[:MAX_DEPTH], limit)

    def _error(self, event: yaml.Event, loc: Loc, text: str) -> FileProblemsError:
        mark = self._mark(event)
        return FileProblemsError(
            [FileProblem(self._file, mark.line, mark.column, dotted(loc), text)]
        )


_PLAIN_TAGS = frozenset({None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


@lru_cache(maxsize=4096)
def _construct(text: str, tag: str | None) -> Any:
    """Give the value of a scalar by YAML 1.1; most of a file's words repeat."""
    loader = yaml.SafeLoader("")
    if tag is None:
        tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return loader.construct_object(yaml.ScalarNode(tag, text))
