"""How many requests a cycle needs: the plan of ours, counted at a C server, against one a point.

1,000 points scattered over 10 blocks of 120 registers with holes between them, and 100 contiguous
registers. The server counts what really arrives. The references are arithmetic: one request a point,
as most gateways ask, and one a block, which is the least that the protocol allows.
"""

import random
import tempfile
from pathlib import Path

from components.modbus.driver import driver
from edge_runtime.model import Quality
from tests.bench.peers.build import CountingServer, build_peer, run_counting_server

BLOCKS, BLOCK, APART = 10, 120, 900
SCATTERED = 100
"""Points in a block."""
CONTIGUOUS = 100


async def run() -> dict[str, object]:
    """Run the benchmark; gives the requests of one cycle of each layout."""
    rng = random.Random(7)
    scattered = [
        block * APART + address
        for block in range(BLOCKS)
        for address in sorted(rng.sample(range(BLOCK), SCATTERED))
    ]
    with tempfile.TemporaryDirectory() as folder:
        program = build_peer("modbus_server", Path(folder))
        async with run_counting_server(program) as server:
            ours = {
                "scattered": await _requests(server, scattered),
                "contiguous": await _requests(server, list(range(CONTIGUOUS))),
            }
    return {
        "name": "requests",
        "ours": ours,
        "references": {
            "scattered_one_a_point": len(scattered),
            "scattered_one_a_block": BLOCKS,
            "contiguous_one_a_point": CONTIGUOUS,
        },
        "ratio": {
            "scattered_to_one_a_point": round(ours["scattered"] / len(scattered), 4),
            "scattered_to_one_a_block": round(ours["scattered"] / BLOCKS, 2),
            "contiguous_to_one_a_point": round(ours["contiguous"] / CONTIGUOUS, 4),
        },
    }


async def _requests(server: CountingServer, addresses: list[int]) -> int:
    """Read the registers once and count."""
    points = [{"name": f"r{address}", "address": address} for address in addresses]
    settings = driver.settings(name="device", host="127.0.0.1", port=server.port, points=points)
    before = await server.requests()
    async with driver.open_device(settings) as device:
        readings = await device.read([point.name for point in settings.points])
    assert all(reading.quality is Quality.GOOD for reading in readings)
    return await server.requests() - before
