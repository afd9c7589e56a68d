"""What a gateway costs: memory (PSS) and processor of its processes at 1,000 and 10,000 points/s.

Ten Modbus devices behind one line of a C server, every register changing with every read, so that
nothing is saved by report by exception. The gateway runs as it is installed, against the real cloud
with its own PostgreSQL on the same machine (whose cost is not counted). Every figure is the median
of three windows of five seconds, after the gateway has settled.
"""

import asyncio
import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

from tests.bench.gateway import Cloud, Window, run_cloud, run_gateway
from tests.bench.peers.build import build_peer, run_server

DEVICES = 10
RATES = (1_000, 10_000)
WINDOWS = 3
WINDOW_S = 5.0
SETTLE_S = 6.0

Figures = dict[str, float]


async def run() -> dict[str, object]:
    """Run the benchmark; there is no reference, the aim is one core and 150 MB at 10,000/s."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = build_peer("modbus_server", folder)
        async with (
            run_server(server, registers=max(RATES) // DEVICES, changing=True) as port,
            run_cloud(folder / "cloud") as cloud,
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


async def _gateway(folder: Path, rate: int, port: int, cloud: Cloud) -> Figures:
    """Run one gateway and measure it."""
    async with run_gateway(folder, cloud, devices_of(port, rate // DEVICES)) as gateway:
        await asyncio.sleep(SETTLE_S)
        windows = [gateway.look()]
        for _ in range(WINDOWS):
            await asyncio.sleep(WINDOW_S)
            windows.append(gateway.look())
    return _figures(windows)


def devices_of(
    port: int, registers: int, *, units: int = DEVICES, interval_s: float = 1.0
) -> list[dict[str, object]]:
    """Describe devices with so many holding registers, each a point."""
    points = [
        {"name": f"register_{address}", "address": address, "kind": "integer"}
        for address in range(registers)
    ]
    device = {"protocol": "modbus", "host": "127.0.0.1", "port": port, "points": points}
    return [
        {"name": f"device-{unit}", "unit": unit, "interval_s": interval_s, **device}
        for unit in range(1, units + 1)
    ]


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
