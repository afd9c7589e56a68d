import pytest

from cloud_sync.wire.events import AlertRaised, body_of
from edge_runtime.model import Reading
from edge_runtime.problems import FileProblemsError
from edge_runtime.rules.binding import load_rules
from edge_runtime.rules.message import render
from edge_runtime.rules.step import first_state, step


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{above: 6.0 psi}", "condition.above: found '6.0 psi'; 'pressure' is in 'bar'"),
        ("{above: high}", "condition.above: found 'high'; expected a number"),
        ("{above: 6, clear_below: 7}", "condition.clear_below: 7 is above the limit 6"),
        ("{below: 6, clear_above: 5}", "condition.clear_above: 5 is below the limit 6"),
        ("{above: 6, below: 5}", "condition: give exactly one of"),
        ("{for_s: 5}", "condition: give exactly one of"),
        ("{above: 6, clear_above: 5}", "condition: 'clear_above' belongs to 'below'"),
        ("{abvoe: 6}", "did you mean 'above'?"),
        ("{point: pump/presure, above: 6}", "did you mean 'pump/pressure'?"),
        ("{point: pump/state, above: 6}", "only 'is' can be asked of it"),
        ("{point: pump/state, is: runing}", "did you mean 'running'?"),
        ("{point: pump/running, is: 'yes'}", "'running' is of kind boolean"),
        ("{point: pump/starts, is: true}", "'starts' is of kind integer"),
        ("{all: []}", "condition.all: expected at least 1 items"),
        ("{all: [{above: 6}, {not: {above: x}}]}", "condition.all[1].not.above: found 'x'"),
        ("{above: 6, for_s: -1}", "condition.for_s: found -1"),
    ],
)
def test_a_condition_that_does_not_fit_says_where_and_why(bind, condition, said):
    with pytest.raises(FileProblemsError) as caught:
        bind(condition)
    assert said in str(caught.value)
    assert str(caught.value).startswith("rules.yaml:4: rules[0].condition")


def test_a_condition_is_bounded_in_depth(bind):
    with pytest.raises(FileProblemsError, match="64 conditions or 8 levels"):
        bind("{not: " * 9 + "{above: 1}" + "}" * 9)


def test_a_condition_is_bounded_in_size(bind):
    branch = "{any: [" + ", ".join(["{above: 1}"] * 16) + "]}"
    with pytest.raises(FileProblemsError, match="64 conditions or 8 levels"):
        bind("{all: [" + ", ".join([branch] * 5) + "]}")


@pytest.mark.parametrize("message", ["{value.__class__}", "{0}", "{limit}", "{", "a } b"])
def test_a_message_names_known_placeholders_only(bind, message):
    with pytest.raises(FileProblemsError, match=r"rules\[0\].alert"):
        bind("{above: 6}", message)


def test_the_message_holds_value_and_unit(bind):
    rule = bind("{above: 6}", "{device}: {point} at {value} {unit} ({rule})")
    reading = Reading("pump/pressure", 6.256, received_us=1)
    (event,) = step(rule, first_state(rule), reading, lambda: "a1")[1]
    body = body_of(event, AlertRaised)
    assert body.message == "pump: pressure at 6.26 bar (high)"
    assert (body.alert, body.priority, body.value, event.id) == ("a1", "high", 6.256, "a1-raised")


def test_a_fact_with_braces_stays_text():
    assert render("{value}{unit}", {"value": "{unit}", "unit": "bar"}) == "{unit}bar"


def test_a_rule_name_is_used_once(write):
    one = "  - {name: a, event: {point: p/q}, condition: {above: 1}, alert: {message: m}}\n"
    with pytest.raises(FileProblemsError, match="already the name of the rule in line 2"):
        load_rules(write("rules.yaml", "rules:\n" + one + one), {})


def test_an_empty_list_of_rules_is_fine(write):
    assert load_rules(write("rules.yaml", "rules: []\n"), {}) == ()


def test_the_fingerprint_follows_the_rule(bind):
    assert bind("{above: 6}").fingerprint == bind("{above: 6}").fingerprint
    assert bind("{above: 6}").fingerprint != bind("{above: 7}").fingerprint
