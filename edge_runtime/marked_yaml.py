"""YAML that people write, read strictly: every value knows its file and line.

Safe tags only, no duplicate keys, bounded size, node count and depth (aliases count each time they
are used, so a file cannot unfold into a bomb).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edge_runtime.problems import FileProblem, FileProblemsError, dotted

MAX_FILE_BYTES = 4 << 20
MAX_NODES = 200_000
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


def read_marked(path: Path) -> Marked:
    """Read a YAML file.

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
    return parse_marked(text, str(path))


def parse_marked(text: str, file: str) -> Marked:
    """Parse YAML text; ``file`` is the name for messages.

    Raises:
        FileProblemsError: see :func:`read_marked`.

    """
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        if node is None:
            raise FileProblemsError([FileProblem(file, 1, 1, "", "is empty")])
        return _Builder(file).build(node, (), _mark(file, node))
    except yaml.MarkedYAMLError as exc:
        place = exc.problem_mark or exc.context_mark
        line, column = (place.line + 1, place.column + 1) if place else (0, 0)
        text = f"not YAML: {exc.problem or exc.context}"
        raise FileProblemsError([FileProblem(file, line, column, "", text)]) from exc
    except yaml.YAMLError as exc:
        raise FileProblemsError([FileProblem(file, 0, 0, "", f"not YAML: {exc}")]) from exc


def _mark(file: str, node: yaml.Node) -> Mark:
    return Mark(file, node.start_mark.line + 1, node.start_mark.column + 1)


class _Builder:
    """Turns composed nodes into marked values within the limits."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._scalars = yaml.constructor.SafeConstructor()
        self._left = MAX_NODES

    def build(self, node: yaml.Node, loc: Loc, mark: Mark) -> Marked:
        self._left -= 1
        if self._left < 0 or len(loc) > MAX_DEPTH:
            limit = f"more than {MAX_NODES} values or {MAX_DEPTH} levels"
            raise self._error(node, loc, limit)
        if isinstance(node, yaml.MappingNode):
            return Marked(self._mapping(node, loc), mark)
        if isinstance(node, yaml.SequenceNode):
            items = enumerate(node.value)
            return Marked([self.build(n, (*loc, i), _mark(self._file, n)) for i, n in items], mark)
        return Marked(self._scalar(node, loc), mark)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[Any, Marked]:
        built: dict[Any, Marked] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, loc, "a key must be a plain word or number")
            key = self._scalar(key_node, loc)
            if key in built:
                first = built[key].mark.line
                raise self._error(key_node, (*loc, key), f"stands twice, first in line {first}")
            built[key] = self.build(value_node, (*loc, key), _mark(self._file, key_node))
        return built

    def _scalar(self, node: yaml.Node, loc: Loc) -> Any:
        try:
            return self._scalars.construct_object(node)
        except (yaml.constructor.ConstructorError, ValueError) as exc:
            raise self._error(node, loc, f"not a plain value: '{node.value}'") from exc

    def _error(self, node: yaml.Node, loc: Loc, text: str) -> FileProblemsError:
        mark = _mark(self._file, node)
        return FileProblemsError(
            [FileProblem(self._file, mark.line, mark.column, dotted(loc), text)]
        )
