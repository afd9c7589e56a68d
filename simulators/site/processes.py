"""Child processes of a simulated site: they log to files and never outlive it."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_runtime.host.process import follow_parent

STOP_S = 12.0
"""A process that was told to stop is given this time; it is killed then."""
LOG_TAIL_CHARS = 2000


class ProcessEndedError(RuntimeError):
    """A process of the site ended though nobody told it to."""


class Part:
    """One running process of the site."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    def check(self) -> None:
        """Do nothing while the process runs.

        Raises:
            ProcessEndedError: it ended; the text has the last lines of its log.

        """
        if self.process.returncode is not None:
            tail = self.log.read_text(errors="replace")[-LOG_TAIL_CHARS:].strip()
            msg = f"{self.name} ended with {self.process.returncode}:\n{tail}"
            raise ProcessEndedError(msg)

    async def stop(self) -> None:
        """Ask it to stop and wait; kill it when it does not."""
        if self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await self.process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


async def start(name: str, *arguments: str, logs: Path, answers: bool = False) -> Part:
    """Run ``tidegate`` with these arguments, logging to ``<logs>/<name>.log``.

    ``answers`` keeps its standard output for the caller to read.
    """
    log = logs / f"{name}.log"
    parent = os.getpid()
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tidegate",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE if answers else file,
            stderr=file,
            start_new_session=True,
            preexec_fn=lambda: follow_parent(parent),
        )
    return Part(name, process, log)


async def first_object(part: Part, *, within_s: float = 30.0) -> dict[str, Any]:
    """Read the JSON object that a process prints once it is ready.

    Raises:
        ProcessEndedError: it ended, or said nothing in time.

    """
    assert part.process.stdout is not None
    text = ""
    try:
        async with asyncio.timeout(within_s):
            while line := await part.process.stdout.readline():
                text += line.decode()
                with suppress(json.JSONDecodeError):
                    found: dict[str, Any] = json.loads(text)
                    return found
            await part.process.wait()
    except TimeoutError as exc:
        msg = f"{part.name} was not ready after {within_s:.0f} s; see {part.log}"
        raise ProcessEndedError(msg) from exc
    part.check()
    msg = f"{part.name} closed its output; see {part.log}"
    raise ProcessEndedError(msg)


def free_port(wanted: int = 0) -> int:
    """Give the wanted port of the loopback if nobody has it, else another."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    msg = "the loopback has no free port"
    raise ProcessEndedError(msg)
