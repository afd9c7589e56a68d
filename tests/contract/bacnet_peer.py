"""Runs the BACnet device that others wrote: @bacnet-js/client, a stack in TypeScript."""

import asyncio
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "peers" / "bacnet_js"
OLDEST_NODE = 20
INSTALL_S, LISTEN_S = 120, 10.0
INSTANCE = 4_711


def install(folder: Path) -> Path:
    """Copy the peer into a folder and install its packages, once a folder; gives the script."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, with npm")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"needs Node {OLDEST_NODE} or newer, found {said.strip()}")
    place = folder / "bacnet_js"
    if (place / "ready").exists():
        return place / "server.js"
    shutil.copytree(
        SOURCE, place, ignore=shutil.ignore_patterns("node_modules"), dirs_exist_ok=True
    )
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


def free_port() -> int:
    """Give a UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Peer:
    """The device while it runs."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def tell(self, line: str) -> None:
        """Change a value (``set TYPE INSTANCE VALUE``) or lose subscriptions (``forget``)."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self.said()

    async def said(self) -> str:
        """Give the next line that it prints."""
        assert self._process.stdout is not None
        return (await asyncio.wait_for(self._process.stdout.readline(), LISTEN_S)).decode()


@asynccontextmanager
async def run_peer(script: Path, port: int) -> AsyncIterator[Peer]:
    """Run the device on a port."""
    process = await asyncio.create_subprocess_exec(
        str(shutil.which("node")), str(script), str(port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    peer = Peer(process, port)
    try:
        assert int(await peer.said()) == port
        yield peer
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
