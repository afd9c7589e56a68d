"""What is shipped: the wheel's top-level names, the locks, and no trace of a registry's host."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOP_LEVEL = {"edge_runtime", "components", "cloud_sync", "cloud_api", "simulators", "tidegate"}
"""ADR 0001."""
HOSTS = re.compile(
    r"(pypi|pythonhosted|npmjs|yarnpkg|debian|crates|rubygems)\." + r"(org|com|io)\b|" + "file://"
)
"""Where packages come from is a matter of the machine."""
CHECKED = re.compile(
    r"^(requirements/.*|pyproject\.toml|Makefile|\.ci/.*|\.github/.*|tools/.*"
    r"|.*package(-lock)?\.json|.*\.npmrc|.*\.cfg|.*\.ini)$"
)


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z, ]+\])?==([^ ;]+)", text, re.MULTILINE))


def wanted(*extras: str) -> set[str]:
    """Names that a set of extras asks for, with the extras inside extras."""
    asked = list(PROJECT["project"]["dependencies"])
    for extra in extras:
        asked += PROJECT["project"]["optional-dependencies"][extra]
    names: set[str] = set()
    for requirement in map(Requirement, asked):
        inner = requirement.name == "tidegate"
        names |= wanted(*requirement.extras) if inner else {canonicalize_name(requirement.name)}
    return names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_carries_these_names_and_no_other(wheel):
    names = {entry.split("/")[0] for entry in zipfile.ZipFile(wheel).namelist()}
    assert {n for n in names if not n.endswith(".dist-info")} == TOP_LEVEL


def test_wheel_carries_what_is_not_python(wheel):
    entries = zipfile.ZipFile(wheel).namelist()
    for pattern in (
        r"profiles/.+\.yaml$",
        r"migrations/.+\.sql$",
        r"dashboard/static/index\.html$",
    ):
        assert any(re.search(pattern, entry) for entry in entries), pattern


def test_wheel_leaves_the_sources_of_the_dashboard_at_home(wheel):
    entries = zipfile.ZipFile(wheel).namelist()
    assert not [
        e for e in entries if "node_modules" in e or e.startswith("cloud_api/dashboard/web")
    ]


def test_locks_hold_what_the_project_asks_for():
    assert wanted("all") <= locked("run.txt").keys()
    assert wanted("dev") <= locked("dev.txt").keys()


def test_running_and_checking_use_the_same_releases():
    assert locked("run.txt").items() <= locked("dev.txt").items()


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_locked_release_has_a_hash(name):
    blocks = re.split(r"^(?=\S)", (ROOT / "requirements" / name).read_text(), flags=re.MULTILINE)
    assert not [b for b in blocks if re.match(r"[a-z0-9-]+==", b) and "--hash=sha256:" not in b]


def test_no_lock_holds_greengrasssdk():
    assert "greengrasssdk" not in locked("dev.txt")


def test_no_settings_file_names_a_registry():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout.splitlines()
    texts = {name: (ROOT / name).read_text() for name in tracked if CHECKED.match(name)}
    assert texts
    assert not [name for name, text in texts.items() if HOSTS.search(text)]
