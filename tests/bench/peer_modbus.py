"""Ours and ThingsBoard's gateway, side by side: requests, points a CPU second, memory, overload.

Ten Modbus devices of 100 registers behind one C server, every register changing with every read, so
that nothing is saved by report by exception. Three demands in turn: once a second (1,000 points/s),
ten times a second (10,000), and far more than a machine can give (50 devices, twenty times a second:
100,000). Ours runs as it is installed, its outbox on disk, against the real cloud; a point counts
when the cloud has it. Theirs runs with its default storage, in memory, and a point counts when its
broker handed it on. Cloud, broker and server are not counted. In each demand both run one after the
other; every figure is the median of the windows.
"""

import asyncio
import statistics
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psutil

from edge_runtime.status import proportional_size
from simulators.site.processes import free_port
from tests.bench.footprint import devices_of
from tests.bench.gateway import Cloud, Window, run_cloud, run_gateway
from tests.bench.peers import thingsboard
from tests.bench.peers.build import CountingServer, build_peer, run_counting_server

REGISTERS = 100
WINDOWS = 5
WINDOW_S = 5.0
SETTLE_S = 10.0
PEERS = Path(__file__).parents[2] / ".venv" / "peers"


class Demand(NamedTuple):
    """What is asked of a gateway."""

    units: int
    interval_s: float

    @property
    def points_per_s(self) -> float:
        """Points that ought to arrive each second."""
        return self.units * REGISTERS / self.interval_s


DEMANDS = {"1000": Demand(10, 1.0), "10000": Demand(10, 0.1), "overload": Demand(50, 0.05)}


class Look(NamedTuple):
    """Where a gateway stood at one moment."""

    at: float
    delivered: int
    cpu_s: float
    memory: int
    requests: int


async def run() -> dict[str, object]:
    """Run the benchmark; gives both and their ratios for each demand."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = thingsboard.install(PEERS / "thingsboard")
        server_program = build_peer("modbus_server", folder)
        ours: dict[str, object] = {}
        theirs: dict[str, object] = {}
        ratio: dict[str, float | None] = {}
        async with run_cloud(folder / "cloud") as cloud:
            for label, demand in DEMANDS.items():
                server = run_counting_server(server_program, 0, REGISTERS, changing=True)
                async with server as counting:
                    our = await _ours(folder / f"ours-{label}", demand, counting, cloud)
                    their = await _theirs(folder / f"theirs-{label}", program, demand, counting)
                ours[label], theirs[label] = our, their
                ratio |= _ratios(label, our, their)
    return {
        "name": "peer-modbus", "ours": ours, "references": {"thingsboard_gateway_3_8_5": theirs},
        "ratio": ratio, "windows": WINDOWS, "window_s": WINDOW_S,
    }  # fmt: skip


def _ratios(
    label: str, ours: dict[str, float], theirs: dict[str, float]
) -> dict[str, float | None]:
    names = ("delivered_per_s", "points_per_cpu_s", "memory_mb", "requests_per_s")
    return {
        f"{label}_{name}": round(ours[name] / theirs[name], 3) if theirs[name] else None
        for name in names
    }


async def _ours(
    folder: Path, demand: Demand, server: CountingServer, cloud: Cloud
) -> dict[str, float]:
    devices = devices_of(server.port, REGISTERS, units=demand.units, interval_s=demand.interval_s)
    async with run_gateway(folder, cloud, devices) as gateway:
        await asyncio.sleep(SETTLE_S)
        looks, windows = [], []
        for _ in range(WINDOWS + 1):
            window = gateway.look()
            windows.append(window)
            looks.append(await _our_look(window, server))
            await asyncio.sleep(WINDOW_S)
    figures = _figures(looks, demand)
    return figures | {
        "reads_left_out_per_s": round(
            (windows[-1].missed - windows[0].missed) / (windows[-1].at - windows[0].at), 1
        ),
        "backlog_samples": windows[-1].backlog,
    }


async def _our_look(window: Window, server: CountingServer) -> Look:
    return Look(
        at=window.at,
        delivered=window.committed - window.backlog,
        cpu_s=sum(window.cpu_s.values()),
        memory=sum(window.memory.values()),
        requests=await server.requests(),
    )


async def _theirs(
    folder: Path, program: Path, demand: Demand, server: CountingServer
) -> dict[str, float]:
    await asyncio.to_thread(folder.mkdir)
    port = free_port()
    slaves = [
        thingsboard.slave(unit, server.port, REGISTERS, round(demand.interval_s * 1000))
        for unit in range(1, demand.units + 1)
    ]
    async with thingsboard.run_broker(folder, port):
        platform = thingsboard.Platform(port)
        counting = asyncio.create_task(platform.run())
        async with thingsboard.run_gateway(program, folder, port, slaves) as process:
            await asyncio.sleep(SETTLE_S)
            looks = []
            for _ in range(WINDOWS + 1):
                looks.append(await _their_look(process.pid, platform, server))
                await asyncio.sleep(WINDOW_S)
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
    return _figures(looks, demand)


async def _their_look(pid: int, platform: thingsboard.Platform, server: CountingServer) -> Look:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return Look(
        at=asyncio.get_running_loop().time(),
        delivered=platform.points,
        cpu_s=sum(sum(part.cpu_times()[:2]) for part in family),
        memory=sum(proportional_size(part.pid) for part in family),
        requests=await server.requests(),
    )


def _figures(looks: list[Look], demand: Demand) -> dict[str, float]:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    spans = [(b.at - a.at, a, b) for a, b in pairwise(looks)]
    delivered = median([(b.delivered - a.delivered) / s for s, a, b in spans])
    cores = median([(b.cpu_s - a.cpu_s) / s for s, a, b in spans])
    requests = median([(b.requests - a.requests) / s for s, a, b in spans])
    return {
        "asked_per_s": demand.points_per_s,
        "delivered_per_s": round(delivered),
        "cores": round(cores, 3),
        "points_per_cpu_s": round(delivered / cores) if cores else 0,
        "memory_mb": round(median([look.memory / 1e6 for look in looks]), 1),
        "memory_growth_mb": round((looks[-1].memory - looks[0].memory) / 1e6, 1),
        "requests_per_s": round(requests, 1),
        "requests_per_cycle": round(requests * demand.interval_s, 1),
        "delivered_in_worst_window_per_s": round(
            min((b.delivered - a.delivered) / s for s, a, b in spans)
        ),
    }
