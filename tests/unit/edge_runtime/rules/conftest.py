import itertools

import pytest

from cloud_sync.wire.events import PointDeclared
from edge_runtime.marked_yaml import parse_marked
from edge_runtime.model import Quality, Reading
from edge_runtime.rules.binding import bind_rules
from edge_runtime.rules.settings import RulesFile
from edge_runtime.rules.step import first_state, step, tick
from edge_runtime.validation import Findings

CATALOGUE = {
    "pump/pressure": PointDeclared("pressure", "float", "bar", decimals=2),
    "pump/state": PointDeclared("state", "enumeration", labels={"0": "stopped", "1": "running"}),
    "pump/running": PointDeclared("running", "boolean"),
    "pump/starts": PointDeclared("starts", "integer"),
    "pump/serial": PointDeclared("serial", "text"),
}
RULE = """\
rules:
  - name: high
    event: {point: pump/pressure}
    condition: %s
    alert: {priority: high, message: "%s"}
"""


@pytest.fixture
def bind():
    def bound(condition, message="pressure {value} {unit}"):
        findings = Findings()
        tree = parse_marked(RULE % (condition, message), "rules.yaml")
        file = findings.model(RulesFile, tree, ())
        rules = bind_rules(file, tree, CATALOGUE, findings) if file else ()
        findings.done()
        return rules[0]

    return bound


class Play:
    """Plays readings to one rule; times in seconds."""

    def __init__(self, rule):
        self.rule, self.state = rule, first_state(rule)
        self.ids = map(str, itertools.count(1))

    def read(self, at, value, point="pump/pressure", quality=Quality.GOOD):
        reading = Reading(point, value, quality, received_us=int(at * 1e6))
        return self._note(step(self.rule, self.state, reading, self.new_id))

    def bad(self, at, point="pump/pressure"):
        return self.read(at, None, point, Quality.BAD)

    def tick(self, at):
        return self._note(tick(self.rule, self.state, int(at * 1e6), self.new_id))

    def new_id(self):
        return next(self.ids)

    def _note(self, outcome):
        self.state, events = outcome
        return [event.kind.removeprefix("alert.") for event in events]


@pytest.fixture
def play(bind):
    return lambda condition: Play(bind(condition))
