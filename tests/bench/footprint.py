"""What a gateway costs: memory (PSS) and processor of its processes at 1,000 and 10,000 points/s.

Ten Modbus devices behind one line of a C server, every register changing with every read, so that
nothing is saved by report by exception. The gateway runs as it is installed, against the real cloud
with its own PostgreSQL on the same machine (whose cost is not counted). Every figure is the median
of three windows of five seconds, after the gateway has settled.
"""

import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psutil

from components.sync.status import AgentStatus
from edge_runtime.status import RuntimeStatus, proportional_size, read_status
from tests.bench.peers.build import build_peer, run_server

DEVICES = 10
RATES = (1_000, 10_000)
WINDOWS = 3
WINDOW_S = 5.0
SETTLE_S = 6.0
START_S = 30.0
STOP_S = 10.0

Figures = dict[str, float]


class Window(NamedTuple):
    """Where everything stood at one moment."""

    at: float
    cpu_s: dict[str, float]
    memory: dict[str, int]
    committed: int
    uploaded_bytes: int
    backlog: int


async def run() -> dict[str, object]:
    """Run the benchmark; there is no reference, the aim is one core and 150 MB at 10,000/s."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = build_peer("modbus_server", folder)
        async with (
            run_server(server, registers=max(RATES) // DEVICES, changing=True) as port,
            _cloud(folder / "cloud") as cloud,
        ):
            figures = {
                str(rate): await _gateway(folder / f"at-{rate}", rate, port, cloud)
                for rate in RATES
            }
    most = figures[str(max(RATES))]
    return {
        "name": "footprint",
        "ours": figures,
        "references": {"aim_cores": 1.0, "aim_memory_mb": 150.0},
        "ratio": {
            "cores_to_aim": round(most["cores"], 3),
            "memory_to_aim": round(most["memory_mb"] / 150, 3),
        },
        "windows": WINDOWS,
        "window_s": WINDOW_S,
    }


async def _gateway(folder: Path, rate: int, port: int, cloud: "_Cloud") -> Figures:
    """Run one gateway and measure it."""
    claim = await cloud.ask("claim", "--site", "bench")
    file = _write(folder, _settings(rate, port, str(claim["url"]), str(claim["claim"])))
    async with _process("edge", "run", str(file), "--log", "warning"):
        await _until_running(folder)
        await asyncio.sleep(SETTLE_S)
        windows = [_look(folder)]
        for _ in range(WINDOWS):
            await asyncio.sleep(WINDOW_S)
            windows.append(_look(folder))
    return _figures(windows)


def _write(folder: Path, settings: dict[str, object]) -> Path:
    folder.mkdir()
    file = folder / "gateway.yaml"
    file.write_text(json.dumps(settings), encoding="utf-8")
    return file


def _settings(rate: int, port: int, url: str, claim: str) -> dict[str, object]:
    points = [
        {"name": f"register_{address}", "address": address, "kind": "integer"}
        for address in range(rate // DEVICES)
    ]
    device = {"protocol": "modbus", "host": "127.0.0.1", "port": port, "points": points}
    return {
        "gateway": {"name": f"bench-{rate}", "cloud": {"url": url, "claim": claim}},
        "devices": [
            {"name": f"device-{unit}", "unit": unit, **device} for unit in range(1, DEVICES + 1)
        ],
    }


async def _until_running(folder: Path) -> None:
    async with asyncio.timeout(START_S):
        while True:
            runtime, agent = _statuses(folder)
            if runtime and agent and runtime.outbox.committed and agent.line.uploaded_batches:
                return
            await asyncio.sleep(0.1)


def _statuses(folder: Path) -> tuple[RuntimeStatus | None, AgentStatus | None]:
    run_folder = folder / "state" / "run"
    return (
        read_status(run_folder, "runtime", RuntimeStatus),
        read_status(run_folder, "agent", AgentStatus),
    )


def _look(folder: Path) -> Window:
    runtime, agent = _statuses(folder)
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
    )


def _figures(windows: list[Window]) -> Figures:
    seconds = [b.at - a.at for a, b in pairwise(windows)]

    def median_rate(totals: list[float]) -> float:
        grown = [b - a for a, b in pairwise(totals)]
        return statistics.median(more / s for more, s in zip(grown, seconds, strict=True))

    cores = {
        part: median_rate([window.cpu_s[part] for window in windows]) for part in windows[0].cpu_s
    }
    memory = {
        part: statistics.median(window.memory[part] for window in windows) / 1e6
        for part in windows[0].memory
    }
    samples_per_s = median_rate([float(window.committed) for window in windows])
    bytes_per_s = median_rate([float(window.uploaded_bytes) for window in windows])
    return {
        "samples_per_s": round(samples_per_s),
        "cores": round(sum(cores.values()), 3),
        "memory_mb": round(sum(memory.values()), 1),
        **{f"{part}_cores": round(share, 3) for part, share in cores.items()},
        **{f"{part}_memory_mb": round(size, 1) for part, size in memory.items()},
        "bytes_a_sample_on_the_wire": round(bytes_per_s / samples_per_s, 2),
        "backlog_samples": windows[-1].backlog,
    }


class _Cloud:
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
async def _cloud(folder: Path) -> AsyncIterator[_Cloud]:
    ports = ("--https-port", "0", "--http-port", "0")
    where = ("--state-dir", str(folder), "--log", "warning", "--json")
    async with _process("cloud", "run", *where, *ports) as process:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            await process.stdout.readuntil(b"}")
        cloud = _Cloud(folder)
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
