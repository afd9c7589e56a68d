import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from components.opcua.certificate import make_certificate
from components.opcua.trust import fingerprint_of, look_up
from tidegate.cli import app


@pytest.fixture(scope="module")
def der():
    return make_certificate("urn:plc:server", datetime.now(UTC), name="PLC", server=True)[0]


@pytest.fixture
def invoke(tmp_path, der):
    look_up(tmp_path, der)

    def run(*words):
        return CliRunner().invoke(app, ["edge", "trust", *words, "--pki", str(tmp_path)])

    return run


def test_waiting_certificates_are_listed(invoke, der):
    result = invoke("list")
    assert result.exit_code == 0
    assert result.stdout.split() == ["pending", fingerprint_of(der), "PLC", "urn:plc:server"]
    assert "1 wait for a decision" in result.stderr


def test_list_is_there_for_programs(invoke, der):
    [one] = json.loads(invoke("list", "--json").stdout)["certificates"]
    assert (one["state"], one["fingerprint"]) == ("pending", fingerprint_of(der))


def test_certificate_is_accepted_and_rejected_again(invoke, der):
    assert "trusted: PLC" in invoke("accept", fingerprint_of(der)[:8]).stderr
    assert invoke("list").stdout.startswith("trusted")
    assert json.loads(invoke("reject", fingerprint_of(der), "--json").stdout)["state"] == "rejected"


def test_unknown_fingerprint_is_a_problem_with_a_hint(invoke):
    result = invoke("accept", "0123456789abcdef")
    assert result.exit_code != 0
    assert "no certificate" in str(result.exception or result.stderr)
