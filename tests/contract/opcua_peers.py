"""OPC UA servers for tests, each a process that serves the whole test run: ours and node-opcua's."""

import asyncio
import atexit
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "peers" / "node_opcua"
OLDEST_NODE = 20
PLACE = Path(sys.prefix) / "peers"
"""Beside the environment that the tests run in: installing takes seconds."""
INSTALL_S = 180


class Peer:
    """A server process that takes words on its standard input."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, bufsize=1,
        )  # fmt: skip
        atexit.register(self._end)
        self.endpoint: str = self._line()["endpoint"]
        self.here = True

    async def tell(self, word: str) -> None:
        """Have it do something: lose, restore, reset, strict, lenient."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        done = await asyncio.to_thread(self._line)
        assert done == {"done": word}
        self.here = {"lose": False, "restore": True}.get(word, self.here)

    async def as_new(self) -> None:
        """Bring it back as it was at the start."""
        if not self.here:
            await self.tell("restore")
        await self.tell("reset")
        await self.tell("lenient")

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        pytest.fail(f"{self._process.args} ended")

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


@cache
def steady_simulator() -> Peer:
    """Our simulator, standing still."""
    return Peer([sys.executable, "-m", "tests.contract.opcua_steady"])


@cache
def node_opcua(folder: Path) -> Peer:
    """A server on node-opcua, with its certificates in a folder."""
    script = install()
    return Peer([str(shutil.which("node")), str(script), str(folder / "node-opcua"), "0"])


def install() -> Path:
    """Install the peer's packages once for this environment; gives the script."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, with npm")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, found {said.strip()}")
    digest = sha256(b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir())))
    place = PLACE / f"node_opcua-{digest.hexdigest()[:12]}"
    if not place.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(dir=PLACE))
        _npm_ci(npm, fresh)
        try:
            fresh.rename(place)
        except OSError:  # another run was quicker
            shutil.rmtree(fresh)
    return place / "server.js"


def _npm_ci(npm: str, folder: Path) -> None:
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    done = subprocess.run(
        [npm, "ci", "--prefer-offline", "--no-audit", "--no-fund"],
        cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    if done.returncode:
        shutil.rmtree(folder)
    if re.search(r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT", said):
        pytest.skip("no line to the registry of npm packages, so the peer cannot be installed here")
    assert done.returncode == 0, said
