"""What goes wrong in a replay, and what is said of a wrong file."""

import random

import pytest

from edge_runtime.errors import SettingsError
from edge_runtime.model import Quality, Reading
from edge_runtime.problems import FileProblemsError
from edge_runtime.recording.faults import Fault, FaultPlan, load_faults, spoiled

RNG = random.Random(1)


@pytest.fixture
def load(tmp_path):
    def load(text):
        (tmp_path / "faults.yaml").write_text(text)
        return load_faults(tmp_path / "faults.yaml", ["meter", "pump"])

    return load


def test_file_is_read(load):
    plan = load("faults: [{device: meter, kind: slow, from_s: 1, until_s: 2, delay_s: 3}]")
    assert [fault.delay_s for fault in plan.of("meter")] == [3]
    assert plan.of("pump") == ()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("{device: meter, kind: silent, until_s: 1}", "did you mean 'silence'"),
        ("{device: meter, kind: silence, from_s: 5, until_s: 1}", "is not after"),
        ("{device: meter, kind: silence, until_s: 1, points: [a]}", "of a whole device"),
        ("{device: metre, kind: silence, until_s: 1}", "did you mean 'meter'"),
        ("{device: meter, kind: slow, until_s: 1, delay: 3}", "did you mean 'delay_s'"),
        ("[]", "expected a valid dictionary"),
    ],
)
def test_wrong_file_is_told_with_the_cure(load, fault, told):
    with pytest.raises(SettingsError, match=told):
        load(f"faults:\n  - {fault}\n")


def test_wrong_line_is_named(load):
    with pytest.raises(FileProblemsError, match=r"faults\.yaml:3"):
        load("faults:\n  - {device: '*', kind: slow, until_s: 1}\n  - {device: meter}\n")


def test_fault_is_active_from_one_moment_to_another():
    fault = Fault(device="*", kind="silence", from_s=10, until_s=20)
    assert [fault.active(t) for t in (9.9, 10, 19.9, 20)] == [False, True, True, False]


def test_flapping_is_by_turns():
    fault = Fault(device="*", kind="flapping", from_s=10, until_s=20, period_s=2)
    assert [fault.active(t) for t in (10, 12, 14, 16, 21)] == [False, True, False, True, False]


def test_error_and_garbage_hit_their_points_alone():
    plan = FaultPlan(faults=[
        Fault(device="*", kind="error", points=("a",), until_s=1),
        Fault(device="*", kind="garbage", points=("b",), until_s=1),
    ])  # fmt: skip
    faults = plan.of("meter")
    a, b, c = (spoiled(faults, Reading(name, 4.25), RNG) for name in "abc")
    assert (a.value, a.quality, a.reason) == (None, Quality.BAD, "device_error:injected")
    assert b.value != 4.25
    assert c.value == 4.25
