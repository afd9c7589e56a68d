"""Marked YAML into a frozen pydantic model, with every error at its line.

Pydantic says what is wrong with a value; this module says where it stands, what was found and what
was probably meant.
"""

import types
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from edge_runtime.marked_yaml import Loc, Marked, read_marked
from edge_runtime.names import IN_WORDS
from edge_runtime.problems import FileProblem, FileProblemsError, dotted, shown, suggestion

M = TypeVar("M", bound=BaseModel)

_TAG = "~"
"""First letter of the tags of discriminated unions; they are no part of the path."""


class Findings:
    """Collects the problems of a whole file, so that one look shows all of them."""

    def __init__(self) -> None:
        self.problems: list[FileProblem] = []

    def add(self, node: Marked, loc: Loc, text: str) -> None:
        """Note a problem at a place."""
        mark = node.mark
        self.problems.append(FileProblem(mark.file, mark.line, mark.column, dotted(loc), text))

    def model(self, model: type[M], node: Marked, loc: Loc) -> M | None:
        """Validate a node; None where something in it is wrong, which is then noted."""
        if not isinstance(node.value, dict):
            self.add(node, loc, f"found {shown(node.plain())}; expected a mapping of fields")
            return None
        try:
            return model.model_validate(node.plain())
        except ValidationError as exc:
            errors = exc.errors(include_url=False)
            for error in errors:
                if _follows_from_others(error, errors):
                    continue
                inner = tuple(p for p in error["loc"] if not str(p).startswith(_TAG))
                inner = tuple(p for p in inner if p != "[key]")
                place = node.at(inner)
                above = loc if place.mark.file == node.mark.file else ()
                self.add(place, (*above, *inner), describe(model, error, inner))
            return None

    def read(self, path: Path, *, without: Collection[str] = ()) -> Marked | None:
        """Read a file; None where it cannot be used, which is then noted."""
        try:
            return read_marked(path, without=without)
        except FileProblemsError as exc:
            self.problems.extend(exc.problems)
            return None

    def done(self, *, hint: str = "") -> None:
        """Raise what was found.

        Raises:
            FileProblemsError: something was.

        """
        if self.problems:
            raise FileProblemsError(self.problems, hint=hint)


def describe(model: type[BaseModel], error: ErrorDetails, loc: Loc) -> str:
    """Say what was found, what is allowed and what was probably meant."""
    if error["type"] == "extra_forbidden":
        known = fields_at(model, loc[:-1])
        near = suggestion(str(loc[-1]), known)
        return "unknown field" + (
            near or f"; known are {', '.join(sorted(known))}" if known else ""
        )
    if error["type"] == "missing":
        return "is missing"
    text = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "value_error":
        return text
    if is_secret(model, loc):
        return f"expected {text}"
    if error["type"] in {"too_short", "too_long"}:
        limits = error.get("ctx", {})
        bound = f"at least {limits['min_length']}" if "min_length" in limits else ""
        return f"expected {bound or 'at most ' + str(limits.get('max_length'))} items"
    found = error["input"]
    if error["type"] == "string_pattern_mismatch":
        pattern = error["ctx"]["pattern"]
        text = IN_WORDS.get(pattern, f"text that matches {pattern}")
    near = suggestion(str(found), _choices(error)) if isinstance(found, str) else ""
    return f"found {shown(found)}; expected {text[0].lower()}{text[1:]}{near}"


def fields_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """Name the fields that are allowed at a path of a model."""
    candidates: list[Any] = [model]
    for part in loc:
        candidates = [t for c in candidates for t in _step(c, part)]
    return {name for c in candidates if _is_model(c) for name in _written(c)}


def is_secret(model: type[BaseModel], loc: Loc) -> bool:
    """Tell whether the field at a path must not be shown."""
    candidates: list[Any] = [model]
    for part in loc:
        candidates = [t for c in candidates for t in _step(c, part)]
    return SecretStr in candidates


def _follows_from_others(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """A list is too short once its wrong items are taken away: say what is wrong with the items."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in errors
    )


def _step(kind: Any, part: str | int) -> Iterator[Any]:
    if _is_model(kind):
        field = _written(kind).get(str(part))
        if field is not None:
            yield from _flat(field.annotation)
    elif get_origin(kind) in {tuple, list, dict}:
        for argument in get_args(kind):
            yield from _flat(argument)


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _written(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Give the fields by the names that people write."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _flat(kind: Any) -> Iterator[Any]:
    """Take unions and annotations apart."""
    if get_origin(kind) in {Union, types.UnionType}:
        for argument in get_args(kind):
            yield from _flat(argument)
    elif hasattr(kind, "__metadata__"):
        yield from _flat(get_args(kind)[0])
    else:
        yield kind


def _choices(error: ErrorDetails) -> list[str]:
    """Pull the allowed words out of an enumeration's error."""
    expected = str(error.get("ctx", {}).get("expected", ""))
    return [word.strip(" '") for word in expected.replace(" or ", ",").split(",") if word.strip()]
