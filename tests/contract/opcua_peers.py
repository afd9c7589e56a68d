"""OPC UA servers for tests, each a process that serves the whole test run: ours and node-opcua's."""

import asyncio
import atexit
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "peers" / "node_opcua"
OLDEST_NODE = 20
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
    """A server on node-opcua."""
    script = install(folder)
    return Peer([str(shutil.which("node")), str(script), str(script.parent / "certificates"), "0"])


def install(folder: Path) -> Path:
    """Copy the peer into a folder and install its packages, once a folder; gives the script."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, with npm")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, found {said.strip()}")
    place = folder / "node_opcua"
    if (place / "ready").exists():
        return place / "server.js"
    without = shutil.ignore_patterns("node_modules")
    shutil.copytree(SOURCE, place, ignore=without, dirs_exist_ok=True)
    done = subprocess.run(
        [str(shutil.which("npm")), "ci", "--prefer-offline", "--no-audit", "--no-fund"],
        cwd=place, capture_output=True, text=True, timeout=INSTALL_S, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    if re.search(r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT", said):
        pytest.skip("no line to the registry of npm packages, so the peer cannot be installed here")
    assert done.returncode == 0, said
    (place / "ready").touch()
    return place / "server.js"
