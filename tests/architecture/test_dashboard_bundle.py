"""The dashboard's bundle is committed, so that an installation needs no Node: it must fit its source.

Where Node and npm are present, the source is tested, type-checked and built again in a copy of its
folder, and every byte is compared with what is committed.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).parents[2] / "cloud_api" / "dashboard"
STATIC = DASHBOARD / "static"
OLDEST_NODE = (20, 19)
MAX_BUNDLE_BYTES = 250_000
BUILD_LIMIT_S = 300


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _node_version() -> tuple[int, ...] | None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.strip().lstrip("v").split("."))


def _npm(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [str(shutil.which("npm")), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BUILD_LIMIT_S,
        check=False,
    )
    said = done.stdout + done.stderr
    if arguments[0] == "ci" and re.search(r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT", said):
        pytest.skip("no line to the registry of npm packages, so the bundle cannot be built here")
    assert done.returncode == 0, said


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the source with its packages installed."""
    version = _node_version()
    if version is None or version < OLDEST_NODE:
        pytest.skip(f"needs Node {'.'.join(map(str, OLDEST_NODE))} or newer, found {version}")
    folder = tmp_path_factory.mktemp("dashboard") / "web"
    shutil.copytree(DASHBOARD / "web", folder, ignore=shutil.ignore_patterns("node_modules"))
    _npm(folder, "ci", "--prefer-offline", "--no-audit", "--no-fund")
    yield folder
    shutil.rmtree(folder)


def test_bundle_is_what_its_source_builds(source: Path, tmp_path: Path) -> None:
    built = tmp_path / "static"
    _npm(source, "run", "build", "--", "--outDir", str(built), "--emptyOutDir", "--logLevel=error")
    found, wanted = _files(STATIC), _files(built)
    assert sorted(found) == sorted(wanted), "run 'npm run build' in cloud_api/dashboard/web"
    assert [name for name in wanted if found[name] != wanted[name]] == []


def test_source_passes_its_own_tests(source: Path) -> None:
    _npm(source, "test")


def test_source_has_no_type_error(source: Path) -> None:
    _npm(source, "run", "check")


def test_all_that_a_browser_fetches_is_small() -> None:
    fetched = [body for name, body in _files(STATIC).items() if not name.startswith("licences/")]
    assert sum(map(len, fetched)) < MAX_BUNDLE_BYTES


def test_pages_hold_nothing_that_the_security_policy_refuses() -> None:
    page = (STATIC / "index.html").read_text("utf-8")
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/)", page) == []
    script = b"".join(body for name, body in _files(STATIC).items() if name.endswith(".js"))
    assert re.findall(rb"\bstyle=\"|\beval\(|new Function\(", script) == []


def test_bundle_fetches_nothing_from_elsewhere() -> None:
    names = {"http://www.w3.org", "https://svelte.dev"}  # of XML vocabularies; in error texts
    found: set[str] = set()
    for name, body in _files(STATIC).items():
        if not name.startswith("licences/"):
            found |= set(re.findall(r"https?://[\w.-]+", body.decode("utf-8", "replace")))
    assert found <= names


def test_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (DASHBOARD / "web" / "package-lock.json").read_text("utf-8")


def test_licences_travel_with_the_bundle() -> None:
    notices = (STATIC / "licences" / "notices.txt").read_text("utf-8")
    assert "Svelte" in notices or "svelte" in notices
    assert "uPlot" in notices or "uplot" in notices
    assert "SIL OPEN FONT LICENSE" in (STATIC / "licences" / "instrument-sans-OFL.txt").read_text()
