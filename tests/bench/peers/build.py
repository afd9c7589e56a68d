"""Compiles the C peers and starts the server."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SOURCES = Path(__file__).parent
TOOLS = ("gcc", "pkg-config")
LISTEN_S = 5.0


class PeerMissingError(Exception):
    """What the C peers need is not on this machine: gcc, pkg-config and libmodbus-dev."""


def build_peer(name: str, folder: Path) -> Path:
    """Compile ``name.c`` into a folder, unless it lies there already; gives the program."""
    program = folder / name
    if program.exists():
        return program
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise PeerMissingError(", ".join(missing))
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libmodbus"],
        capture_output=True,
        text=True,
        check=False,
    )
    if flags.returncode:
        raise PeerMissingError("libmodbus-dev")
    subprocess.run(
        ["gcc", "-O2", "-o", program, SOURCES / f"{name}.c", *flags.stdout.split()], check=True
    )
    return program


@asynccontextmanager
async def run_server(
    program: Path, *, port: int = 0, registers: int = 10_000, changing: bool = False
) -> AsyncIterator[int]:
    """Run the C server; gives its port. It also ends with us, when its standard input does."""
    async with run_counting_server(program, port, registers, changing=changing) as server:
        yield server.port


@asynccontextmanager
async def run_counting_server(
    program: Path, port: int = 0, registers: int = 10_000, *, changing: bool = False
) -> AsyncIterator["CountingServer"]:
    """Run the C server; it can be asked for the number of requests it answered."""
    server = await asyncio.create_subprocess_exec(
        program, str(port), str(registers), str(int(changing)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath},
    )  # fmt: skip
    assert server.stdout is not None
    try:
        listening = int(await asyncio.wait_for(server.stdout.readline(), LISTEN_S))
        yield CountingServer(server, listening)
    finally:
        server.kill()
        await server.communicate()


class CountingServer:
    """The running C server."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def requests(self) -> int:
        """Give the number of requests answered so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"?")
        return int(await asyncio.wait_for(self._process.stdout.readline(), LISTEN_S))


@asynccontextmanager
async def run_rtu_server(
    program: Path, port: str, *, unit: int = 1, registers: int = 10_000, image: Path | None = None
) -> AsyncIterator[None]:
    """Run the C server as one unit on a serial port, with what a file of registers says."""
    overlay = [] if image is None else [str(image)]
    server = await asyncio.create_subprocess_exec(
        program, port, "115200", str(unit), str(registers), *overlay,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath},
    )  # fmt: skip
    assert server.stdout is not None
    try:
        assert await asyncio.wait_for(server.stdout.readline(), LISTEN_S) == b"ready\n"
        yield
    finally:
        server.kill()
        await server.communicate()
