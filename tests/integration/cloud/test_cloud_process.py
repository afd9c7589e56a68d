"""``tidegate cloud`` as a process: both listeners, the command line beside it, and its end."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from cloud_api.db.cluster import discard, read_access
from cloud_sync.wire.identity import parse_claim

TIDEGATE = [sys.executable, "-m", "tidegate"]


class Cloud:
    """A running cloud and the command line that looks after it."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        command = [*TIDEGATE, "cloud", "run", "--state-dir", str(folder)]
        self.process = subprocess.Popen(
            [*command, "--http-port", "0", "--https-port", "0", "--json", "--log", "error"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        text = ""
        while not text.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            text += line
        self.running = json.loads(text)

    def run(self, *arguments):
        return subprocess.run(
            [*TIDEGATE, "cloud", *arguments, "--state-dir", str(self.folder)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments):
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out + err


@pytest.fixture
def cloud(tmp_path, own_database_dsn):
    running = Cloud(tmp_path / "cloud", os.environ | {"DATABASE_URL": own_database_dsn})
    yield running
    running.stop()


@pytest.fixture
def embedded(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    running = Cloud(tmp_path / "cloud", environment)
    yield running
    running.stop()
    discard(read_access(tmp_path / "cloud" / "postgresql"))


def test_an_operator_sets_up_a_tenant_and_a_person_signs_in(cloud, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("correct horse battery\n")
    assert cloud.run("sign-in-link", "--email", "a@example.com").returncode == 3
    cloud.json("tenant", "add", "acme")
    cloud.json("site", "add", "North Plant", "--time-zone", "Europe/Berlin")
    person = ("person", "add", "--email", "a@example.com", "--role", "admin")
    cloud.json(*person, "--password-file", str(secret))
    assert cloud.run(*person).returncode == 5
    link = cloud.json("sign-in-link", "--email", "A@example.com")["url"]
    base, _, token = link.partition("/sign-in#token=")
    assert base == cloud.running["http"]
    claim = cloud.json("claim", "--site", "North Plant")
    assert parse_claim(claim["claim"])
    assert claim["url"] == cloud.running["https"]
    assert [t["name"] for t in cloud.json("status")["tenants"]] == ["acme"]
    with httpx.Client(base_url=base, headers={"Tidegate-CSRF": "1"}) as http:
        assert http.post("/v1/session", json={"token": token}).status_code == 200
        assert [s["name"] for s in http.get("/v1/sites").json()["sites"]] == ["North Plant"]


def test_mistakes_end_with_a_code_and_a_next_step(cloud):
    nobody = cloud.run("claim", "--site", "x")
    assert (nobody.returncode, "tenant add" in nobody.stderr) == (3, True)
    cloud.json("tenant", "add", "acme")
    assert cloud.run("tenant", "add", "acme").returncode == 5
    assert cloud.run("site", "add", "x", "--time-zone", "Mars/Olympus").returncode == 2
    cloud.json("tenant", "add", "bolt")
    several = cloud.run("site", "add", "x")
    assert (several.returncode, "--tenant" in several.stderr) == (2, True)
    assert cloud.run("gateway", "suspend", "x", "--tenant", "acme").returncode == 3


def test_gateways_get_tls_from_the_authority_they_pinned(cloud):
    authority = httpx.get(cloud.running["http"] + "/v1/authority").text
    trust = ssl.create_default_context(cadata=authority)
    for name in ("localhost", "127.0.0.1"):
        port = cloud.running["https"].rpartition(":")[2]
        answer = httpx.get(f"https://{name}:{port}/healthz", verify=trust)
        assert answer.json() == {"status": "ok"}
        assert "strict-transport-security" in answer.headers
    with pytest.raises(httpx.ConnectError):
        httpx.get(cloud.running["https"] + "/healthz")


def test_keys_are_private_and_stay_the_same(tmp_path, own_database_dsn):
    pems = []
    for _ in range(2):
        cloud = Cloud(tmp_path / "cloud", os.environ | {"DATABASE_URL": own_database_dsn})
        pems.append(httpx.get(cloud.running["http"] + "/v1/authority").text)
        assert cloud.stop()[0] == 0
    assert pems[0] == pems[1]
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "cloud").rglob("*.pem")}
    assert set(modes.values()) == {0o600}
    assert not (tmp_path / "cloud" / "cloud.json").exists()


def test_ctrl_c_ends_open_streams_and_the_process_at_once(cloud):
    cloud.json("tenant", "add", "acme")
    cloud.json("person", "add", "--email", "a@example.com")
    token = cloud.json("sign-in-link", "--email", "a@example.com")["url"].partition("=")[2]
    with httpx.Client(base_url=cloud.running["http"], headers={"Tidegate-CSRF": "1"}) as http:
        http.post("/v1/session", json={"token": token})
        with http.stream("GET", "/v1/live") as answer:
            pieces = answer.iter_text()
            assert "event: hello" in next(pieces)
            begin = time.monotonic()
            code, said = cloud.stop()
            assert time.monotonic() - begin < 5
            list(pieces)
    assert code == 0
    assert "Traceback" not in said


def test_without_a_database_url_it_brings_its_own_and_leaves_nothing(embedded):
    assert embedded.running["database"] == "embedded"
    embedded.json("tenant", "add", "acme")
    family = psutil.Process(embedded.process.pid).children(recursive=True)
    assert family
    assert embedded.stop()[0] == 0
    assert psutil.wait_procs(family, timeout=5)[1] == []
    late = embedded.run("status")
    assert (late.returncode, "tidegate cloud run" in late.stderr) == (7, True)


def test_killed_it_leaves_no_server_behind_either(embedded):
    family = psutil.Process(embedded.process.pid).children(recursive=True)
    embedded.process.kill()
    assert psutil.wait_procs(family, timeout=10)[1] == []


def test_a_port_that_is_taken_is_said_plainly(cloud, tmp_path):
    port = cloud.running["http"].rpartition(":")[2]
    command = [*TIDEGATE, "cloud", "run", "--state-dir", str(tmp_path / "other")]
    done = subprocess.run(
        [*command, "--http-port", port], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr


async def test_help_is_there_for_every_command():
    for arguments in ([], ["run"], ["tenant", "add"], ["claim"], ["status"]):
        process = await asyncio.create_subprocess_exec(
            *TIDEGATE, "cloud", *arguments, "--help", stdout=subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        assert b"Usage" in out
