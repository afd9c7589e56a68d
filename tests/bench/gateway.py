"""A gateway as it is installed, against the real cloud, for benchmarks: run it and look at it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import psutil

from components.sync.status import AgentStatus
from edge_runtime.status import RuntimeStatus, proportional_size, read_status

START_S = 30.0
STOP_S = 10.0


class Window(NamedTuple):
    """Where everything stood at one moment."""

    at: float
    cpu_s: dict[str, float]
    memory: dict[str, int]
    committed: int
    uploaded_bytes: int
    backlog: int
    missed: int
    """Reads that fell out because the one before them took too long."""


class Gateway:
    """A running gateway."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def until_running(self) -> None:
        """Wait until something was uploaded."""
        async with asyncio.timeout(START_S):
            while True:
                runtime, agent = self.statuses()
                if runtime and agent and runtime.outbox.committed and agent.line.uploaded_batches:
                    return
                await asyncio.sleep(0.1)

    def statuses(self) -> tuple[RuntimeStatus | None, AgentStatus | None]:
        """Give what its processes last said."""
        folder = self._folder / "state" / "run"
        return (
            read_status(folder, "runtime", RuntimeStatus),
            read_status(folder, "agent", AgentStatus),
        )

    def look(self) -> Window:
        """Take down where everything stands."""
        runtime, agent = self.statuses()
        assert runtime is not None
        assert agent is not None
        parts = {"runtime": psutil.Process(runtime.pid), "agent": psutil.Process(agent.pid)}
        parts["supervisor"] = psutil.Process(parts["runtime"].ppid())
        return Window(
            at=runtime.time_us / 1e6,
            cpu_s={name: sum(part.cpu_times()[:2]) for name, part in parts.items()},
            memory={name: proportional_size(part.pid) for name, part in parts.items()},
            committed=runtime.outbox.committed,
            uploaded_bytes=agent.line.uploaded_bytes,
            backlog=agent.line.backlog_samples,
            missed=sum(device.missed for device in runtime.devices.values()),
        )


@contextlib.asynccontextmanager
async def run_gateway(
    folder: Path, cloud: "Cloud", devices: list[dict[str, object]], **section: object
) -> AsyncIterator[Gateway]:
    """Enrol and run a gateway with these devices."""
    claim = await cloud.ask("claim", "--site", "bench")
    line = {"url": str(claim["url"]), "claim": str(claim["claim"])}
    settings = {"gateway": {"name": folder.name, "cloud": line, **section}, "devices": devices}
    file = _write(folder, settings)
    async with _process("edge", "run", str(file), "--log", "warning"):
        gateway = Gateway(folder)
        await gateway.until_running()
        yield gateway


def _write(folder: Path, settings: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "gateway.yaml"
    file.write_text(json.dumps(settings), encoding="utf-8")
    return file


class Cloud:
    """The real cloud in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def ask(self, *words: str) -> dict[str, object]:
        """Run a command of ``tidegate cloud``; gives what it prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tidegate", "cloud", *words,
            "--state-dir", str(self._folder), "--json",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == 0, words
        answer: dict[str, object] = json.loads(out)
        return answer


@contextlib.asynccontextmanager
async def run_cloud(folder: Path) -> AsyncIterator[Cloud]:
    """Run the cloud with a tenant and a site."""
    ports = ("--https-port", "0", "--http-port", "0")
    where = ("--state-dir", str(folder), "--log", "warning", "--json")
    async with _process("cloud", "run", *where, *ports) as process:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            await process.stdout.readuntil(b"}")
        cloud = Cloud(folder)
        await cloud.ask("tenant", "add", "bench")
        await cloud.ask("site", "add", "bench")
        yield cloud


@contextlib.asynccontextmanager
async def _process(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidegate", *words, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.communicate()
