"""Bind the rules of a file to the points there are: units, labels, limits; then compile."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from cloud_sync.wire.events import PointDeclared
from cloud_sync.wire.samples import Value
from edge_runtime.marked_yaml import Loc, Marked
from edge_runtime.problems import suggestion
from edge_runtime.rules import conditions
from edge_runtime.rules.conditions import Evaluate
from edge_runtime.rules.settings import (
    MAX_DEPTH,
    MAX_NODES,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    RuleSettings,
    RulesFile,
)
from edge_runtime.rules.step import Rule
from edge_runtime.validation import Findings

Catalogue = Mapping[str, PointDeclared]
"""Every point of the gateway by its key, ``device/point``."""

HINT = "mend the file and run 'tidegate edge check' again; nothing was started"

_QUANTITY = re.compile(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(.*)")


def load_rules(path: Path, catalogue: Catalogue) -> tuple[Rule, ...]:
    """Read rules.yaml and bind it.

    Raises:
        FileProblemsError: a :class:`SettingsError` with everything that is wrong.

    """
    findings = Findings()
    tree = findings.read(path)
    file = findings.model(RulesFile, tree, ()) if tree is not None else None
    rules = bind_rules(file, tree, catalogue, findings) if file and tree else ()
    findings.done(hint=HINT)
    return rules


def bind_rules(
    file: RulesFile, tree: Marked, catalogue: Catalogue, findings: Findings
) -> tuple[Rule, ...]:
    """Bind the rules of a validated file; what does not fit is noted."""
    bound = []
    names: dict[str, int] = {}
    for index, settings in enumerate(file.rules):
        loc: Loc = ("rules", index)
        node = tree.at((*loc, "name"))
        line = names.setdefault(settings.name, node.mark.line)
        if line != node.mark.line:
            text = f"'{settings.name}' is already the name of the rule in line {line}"
            findings.add(node, (*loc, "name"), text)
        bound.append(_Binder(settings, tree, loc, catalogue, findings).bind())
    return tuple(rule for rule in bound if rule is not None)


class _Binder:
    """Binds one rule."""

    def __init__(
        self, settings: RuleSettings, tree: Marked, loc: Loc, catalogue: Catalogue, out: Findings
    ) -> None:
        self._settings = settings
        self._tree = tree
        self._loc = loc
        self._catalogue = catalogue
        self._findings = out
        self._points: set[str] = set()
        self._nodes = 0
        self._comparisons = 0
        self._durations = 0
        self._fine = True

    def bind(self) -> Rule | None:
        settings = self._settings
        facts = self._point(settings.event.point, (*self._loc, "event", "point"))
        evaluate = self._compile(settings.condition, (*self._loc, "condition"), 1)
        if facts is None or not self._fine:
            return None
        return Rule(
            name=settings.name,
            point=settings.event.point,
            points=frozenset(self._points),
            facts=facts,
            evaluate=evaluate,
            comparisons=self._comparisons,
            durations=self._durations,
            priority=settings.alert.priority,
            message=settings.alert.message,
            fingerprint=hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16],
        )

    def _wrong(self, loc: Loc, text: str) -> None:
        self._fine = False
        self._findings.add(self._tree.at(loc), loc, text)

    def _point(self, key: str, loc: Loc) -> PointDeclared | None:
        facts = self._catalogue.get(key)
        if facts is None:
            self._wrong(loc, f"no point '{key}'{suggestion(key, self._catalogue)}")
        else:
            self._points.add(key)
        return facts

    def _compile(self, node: Condition, loc: Loc, depth: int) -> Evaluate:
        self._nodes += 1
        if self._nodes == MAX_NODES + 1 or depth == MAX_DEPTH + 1:
            self._wrong(loc, f"more than {MAX_NODES} conditions or {MAX_DEPTH} levels")
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            return conditions.all_of(())
        evaluate = self._node(node, loc, depth)
        if node.for_s == 0:
            return evaluate
        slot, self._durations = self._durations, self._durations + 1
        return conditions.held_for(slot, evaluate, round(node.for_s * 1_000_000))

    def _node(self, node: Condition, loc: Loc, depth: int) -> Evaluate:
        if isinstance(node, Comparison):
            return self._comparison(node, loc)
        if isinstance(node, Not):
            return conditions.negated(self._compile(node.branch, (*loc, "not"), depth + 1))
        word = "all" if isinstance(node, AllOf) else "any"
        branches = [
            self._compile(branch, (*loc, word, i), depth + 1)
            for i, branch in enumerate(node.branches)
        ]
        return (
            conditions.any_of(branches) if isinstance(node, AnyOf) else conditions.all_of(branches)
        )

    def _comparison(self, node: Comparison, loc: Loc) -> Evaluate:
        if node.point is None:
            key, facts = self._settings.event.point, self._catalogue.get(self._settings.event.point)
        else:
            key, facts = node.point, self._point(node.point, (*loc, "point"))
        if facts is None:
            return conditions.all_of(())
        if node.equals is not None:
            return conditions.equals(key, self._wanted(node.equals, facts, (*loc, "is")))
        if facts.kind not in {"float", "integer"}:
            self._wrong(loc, f"'{key}' is of kind {facts.kind}; only 'is' can be asked of it")
            return conditions.all_of(())
        slot, self._comparisons = self._comparisons, self._comparisons + 1
        if node.above is not None:
            limit = self._quantity(node.above, facts, (*loc, "above"))
            clear = self._clear(node.clear_below, limit, facts, (*loc, "clear_below"))
            if clear > limit:
                self._wrong((*loc, "clear_below"), f"{clear:g} is above the limit {limit:g}")
            return conditions.above(slot, key, limit, clear)
        limit = self._quantity(
            node.below if node.below is not None else 0.0, facts, (*loc, "below")
        )
        clear = self._clear(node.clear_above, limit, facts, (*loc, "clear_above"))
        if clear < limit:
            self._wrong((*loc, "clear_above"), f"{clear:g} is below the limit {limit:g}")
        return conditions.below(slot, key, limit, clear)

    def _clear(
        self, threshold: float | str | None, limit: float, facts: PointDeclared, loc: Loc
    ) -> float:
        return limit if threshold is None else self._quantity(threshold, facts, loc)

    def _quantity(self, threshold: float | str, facts: PointDeclared, loc: Loc) -> float:
        if not isinstance(threshold, str):
            return float(threshold)
        found = _QUANTITY.fullmatch(threshold.strip())
        if found is None:
            self._wrong(loc, f"found '{threshold}'; expected a number, such as 6.0 or '6.0 bar'")
            return 0.0
        if found[2] and found[2] != facts.unit:
            unit = f"in '{facts.unit}'" if facts.unit else "without a unit"
            self._wrong(loc, f"found '{threshold}'; '{facts.name}' is {unit}")
        return float(found[1])

    def _wanted(self, wanted: bool | int | str, facts: PointDeclared, loc: Loc) -> Value:
        if facts.kind == "enumeration" and isinstance(wanted, str):
            numbers = {label: int(number) for number, label in facts.labels.items()}
            if wanted not in numbers:
                near = suggestion(wanted, numbers) or f"; known are {', '.join(numbers)}"
                self._wrong(loc, f"'{facts.name}' has no label '{wanted}'{near}")
            return numbers.get(wanted, 0)
        fits = {
            "boolean": isinstance(wanted, bool),
            "text": isinstance(wanted, str),
            "float": not isinstance(wanted, str | bool),
        }.get(facts.kind, isinstance(wanted, int) and not isinstance(wanted, bool))
        if not fits:
            self._wrong(loc, f"found {wanted!r}; '{facts.name}' is of kind {facts.kind}")
        return wanted
