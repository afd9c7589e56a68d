"""The workflow in the cloud does what make does: pinned actions, few rights, known targets."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def test_steps_run_make_targets_that_exist():
    called = [re.fullmatch(r"make ([a-z-]+)( .*)?", s["run"]) for s in STEPS if "run" in s]
    assert called
    assert all(called)
    assert {match[1] for match in called} <= TARGETS


def test_actions_are_pinned_to_a_commit():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_rights_are_given_job_by_job():
    assert WORKFLOW["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in JOBS.values())


def test_credentials_do_not_stay_in_the_checkout():
    checkouts = [s for s in STEPS if s.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("job", JOBS)
def test_every_job_has_a_time_limit(job):
    assert JOBS[job]["timeout-minutes"] <= 60


def test_newer_pushes_cancel_older_checks():
    assert WORKFLOW["concurrency"]["group"].startswith("check-")


def test_every_supported_python_is_checked():
    assert JOBS["quick"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
