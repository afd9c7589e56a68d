"""Rules for every test: order by kind, no network in unit tests, no silent skips in CI."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).parent
CI = bool(os.environ.get("TIDEGATE_CI"))
"""Set by .ci/run: a test that lacks a tool fails there instead of being skipped."""
NEEDS = "needs "
"""How the reason of a skip begins when something is missing on this machine."""
RIGHTS = "needs root "
"""Rights are no package: such a test may be skipped anywhere."""
KINDS = ("unit", "contract", "architecture", "integration", "system", "faults", "bench")
"""The folders under tests/, quick ones first."""
OFFLINE_KINDS = frozenset({"unit", "architecture"})
ROUNDS_IN_TEST = 25

hypothesis.settings.register_profile("fast", deadline=None, max_examples=25)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if CI else "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fault-rounds",
        type=int,
        default=ROUNDS_IN_TEST,
        help="how often the fault tests kill each process (make faults: 300)",
    )


@pytest.fixture(scope="session")
def fault_rounds(pytestconfig: pytest.Config) -> int:
    """Kills of each process in one fault test."""
    return pytestconfig.getoption("--fault-rounds")


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str, str], str]:
    """Give the path of a program, or skip: ``require_tool("mbpoll", "mbpoll")``."""

    def require(program: str, package: str = "") -> str:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{NEEDS}{program} (Debian: {package or program}; `make packages`)")
        return path

    return require


# --- order: kinds one after the other; within a kind as pytest-randomly laid them ---------------


def kind_of(path: Path) -> str:
    return path.relative_to(TESTS).parts[0] if path.is_relative_to(TESTS) else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {kind: place for place, kind in enumerate(KINDS)}
    items.sort(key=lambda item: place.get(kind_of(item.path), len(KINDS)))


# --- no network in unit tests -------------------------------------------------------------------

_connect, _connect_ex, _sendto = (
    socket.socket.connect,
    socket.socket.connect_ex,
    socket.socket.sendto,
)


def _stays_here(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # AF_UNIX
    host = str(address[0])
    if host in {"", "localhost"}:
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(address: object) -> None:
    if not _stays_here(address):
        pytest.fail(f"a unit test may not reach {address}: only loopback is open to it")


def _guarded_connect(self: socket.socket, address: object) -> None:
    _refuse(address)
    return _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: object) -> int:
    _refuse(address)
    return _connect_ex(self, address)


def _guarded_sendto(self: socket.socket, data: bytes, *rest: object) -> int:
    _refuse(rest[-1])
    return _sendto(self, data, *rest)


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind_of(request.node.path) in OFFLINE_KINDS:
        monkeypatch.setattr(socket.socket, "connect", _guarded_connect)
        monkeypatch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
        monkeypatch.setattr(socket.socket, "sendto", _guarded_sendto)


# --- no silent skips in CI ----------------------------------------------------------------------


def _fail_if_needed(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (CI and report.skipped and isinstance(report.longrepr, tuple)):
        return
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if reason.startswith(NEEDS) and not reason.startswith(RIGHTS):
        report.outcome = "failed"
        report.longrepr = f"{reason}: a skip that TIDEGATE_CI does not allow"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _fail_if_needed(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _fail_if_needed(report)
    return report
