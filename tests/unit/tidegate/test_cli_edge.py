import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidegate import __version__
from tidegate.cli import app

EXAMPLES = Path(__file__).parents[3] / "examples"


def invoke(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def gateway(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path / "site")
    return tmp_path / "site" / "gateway.yaml"


def test_the_sample_configuration_is_fine(gateway):
    result = invoke("edge", "check", gateway, "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["problems"]) == (0, [])
    assert report["rules"] == ["outlet-pressure-high", "mains-lost"]


def test_check_shows_each_device(gateway):
    result = invoke("edge", "check", gateway)
    assert "wet-well" in result.stdout
    assert "4 devices" in result.stdout


def test_check_prints_every_problem_with_its_line(gateway):
    text = gateway.read_text().replace("interval_s: 2\n", "intervall_s: 2\n")
    gateway.write_text(text.replace("port: 5021", "port: 99999"))
    result = invoke("edge", "check", gateway)
    assert result.exit_code == 6
    assert "did you mean 'interval_s'?" in result.stderr
    assert "devices[2].port: found 99999" in result.stderr
    assert "2 problems" in result.stderr


def test_check_gives_problems_as_json(gateway):
    gateway.write_text("gateway: {name: A}\n")
    result = invoke("edge", "check", gateway, "--json")
    (problem,) = json.loads(result.stdout)["problems"]
    assert (result.exit_code, problem["line"], problem["path"]) == (6, 1, "gateway.name")


def test_a_rule_about_an_unknown_point_stops_the_start(gateway):
    rules = gateway.parent / "rules.yaml"
    rules.write_text(rules.read_text().replace("outlet_pressure}", "outlet_presure}"))
    result = invoke("edge", "check", gateway)
    assert "did you mean 'pump-station/outlet_pressure'?" in result.stderr


def test_plan_tells_what_reading_costs(gateway):
    result = invoke("edge", "plan", gateway, "--json")
    plan = json.loads(result.stdout)
    first = plan["lines"][0]
    assert (result.exit_code, plan["points"]) == (0, 59)
    assert 0 < first["load"] < 0.1
    assert {d["name"] for d in first["devices"]} == {"pump-station", "energy-meter", "wet-well"}
    assert first["devices"][0]["worst_age_s"] > first["devices"][0]["age_s"] > 10


def test_plan_refuses_what_a_line_cannot_carry(gateway):
    text = gateway.read_text().replace("unit: 2\n", "unit: 2\n    turnaround_s: 3\n")
    gateway.write_text(text)
    result = invoke("edge", "plan", gateway)
    assert result.exit_code == 6
    assert "cannot keep its intervals" in result.stderr


def test_status_of_a_gateway_that_never_ran(gateway):
    result = invoke("edge", "status", gateway, "--json")
    status = json.loads(result.stdout)
    assert (result.exit_code, status["runtime"], status["agent"]) == (
        6,
        "never started",
        "no cloud",
    )
    assert [device["health"] for device in status["devices"]] == ["unknown"] * 4
    assert not (gateway.parent / "state").exists()


def test_reading_an_unknown_device_suggests_one(gateway):
    result = invoke("edge", "read", gateway, "--device", "wet-wel")
    assert result.exit_code == 3
    assert "did you mean 'wet-well'?" in result.stderr


def test_the_version_is_printed():
    assert invoke("--version").stdout.strip() == __version__


@pytest.mark.parametrize(
    "command",
    ["run", "check", "read", "solve", "commission", "plan", "status", "verify"],
)
def test_every_command_has_help(command):
    result = invoke("edge", command, "--help")
    assert result.exit_code == 0
    assert "gateway.yaml" in result.stdout
