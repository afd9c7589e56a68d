"""The Modbus path: what the driver reads and decodes, against libmodbus in C and bare pymodbus.

One C server, one connection at a time, 125 registers a request: 50 floats and 25 words. Ours is
``device.read`` from the request to :class:`~edge_runtime.model.Reading`; bare pymodbus reads and
converts in bulk and makes no readings; libmodbus converts 62 floats. All in turn, in every round.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from pymodbus.client import AsyncModbusTcpClient

from components.modbus.driver import driver
from edge_runtime.model import Quality
from tests.bench.peers.build import build_peer, run_server

REGISTERS = 10_000
A_REQUEST = 125
FLOATS, WORDS = 50, 25
POINTS_A_REQUEST = FLOATS + WORDS
ROUNDS = 5
SECONDS = 1.0
POINT_BY_POINT_READS = 1_000


class Rate(NamedTuple):
    """How fast something went."""

    requests_per_s: float
    points_per_s: float
    cpu_us_per_request: float


async def run() -> dict[str, object]:
    """Run the benchmark; gives ours, the references and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        server, client = (build_peer(f"modbus_{end}", Path(folder)) for end in ("server", "client"))
        async with run_server(server, registers=REGISTERS) as port:
            rounds = [await _round(port, client) for _ in range(ROUNDS)]
    rates = {name: _median([each[name] for each in rounds]) for name in rounds[0]}
    ours = rates.pop("ours")
    ratio: dict[str, float] = {}
    for name, rate in rates.items():
        ratio[f"points_per_s_to_{name}"] = round(ours.points_per_s / rate.points_per_s, 2)
        ratio[f"cpu_a_point_to_{name}"] = round(_cpu_a_point(ours) / _cpu_a_point(rate), 2)
    return {
        "name": "modbus",
        "ours": _figures(ours),
        "references": {name: _figures(rate) for name, rate in rates.items()},
        "ratio": ratio,
        "rounds": ROUNDS,
        "registers_a_request": A_REQUEST,
        "points_a_request": POINTS_A_REQUEST,
    }


async def _round(port: int, client: Path) -> dict[str, Rate]:
    return {
        "ours": await _ours(port),
        "pymodbus": await _pymodbus(port),
        "pymodbus_point_by_point": await _point_by_point(port),
        "libmodbus": await _libmodbus(port, client),
    }


async def _ours(port: int) -> Rate:
    points = []
    for block in range(0, REGISTERS, A_REQUEST):
        points += [
            {"name": f"f{block + 2 * i}", "address": block + 2 * i, "type": "float32"}
            for i in range(FLOATS)
        ]
        points += [
            {"name": f"w{block + i}", "address": block + i}
            for i in range(2 * FLOATS, 2 * FLOATS + WORDS)
        ]
    settings = driver.settings(name="peer", host="127.0.0.1", port=port, points=points)
    names = [point.name for point in settings.points]
    requests = len(driver.plan(settings, names))
    assert requests == REGISTERS // A_REQUEST
    async with driver.open_device(settings) as device:

        async def read() -> None:
            readings = await device.read(names)
            assert len(readings) == len(names)
            assert readings[-1].quality is Quality.GOOD

        return await _measure(read, requests, len(names))


async def _pymodbus(port: int) -> Rate:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()

    async def read() -> None:
        for block in range(0, REGISTERS, A_REQUEST):
            answer = await client.read_holding_registers(block, count=A_REQUEST)
            registers = list(answer.registers)
            floats = client.convert_from_registers(registers[: 2 * FLOATS], client.DATATYPE.FLOAT32)
            assert isinstance(floats, list)
            assert len(floats) + len(registers[2 * FLOATS :]) == POINTS_A_REQUEST

    rate = await _measure(read, REGISTERS // A_REQUEST, REGISTERS // A_REQUEST * POINTS_A_REQUEST)
    client.close()
    return rate


async def _point_by_point(port: int) -> Rate:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()

    async def read() -> None:
        for address in range(0, 2 * POINT_BY_POINT_READS, 2):
            answer = await client.read_holding_registers(address, count=2)
            client.convert_from_registers(list(answer.registers), client.DATATYPE.FLOAT32)

    rate = await _measure(read, POINT_BY_POINT_READS, POINT_BY_POINT_READS)
    client.close()
    return rate


async def _libmodbus(port: int, client: Path) -> Rate:
    process = await asyncio.create_subprocess_exec(
        client, str(port), str(SECONDS), str(A_REQUEST), str(REGISTERS),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    requests, seconds, cpu = map(float, out.split())
    per_s = requests / seconds
    return Rate(per_s, per_s * POINTS_A_REQUEST, cpu / requests * 1e6)


async def _measure(read: Callable[[], Awaitable[None]], requests: int, points: int) -> Rate:
    await read()
    done, start, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < SECONDS:
        await read()
        done += 1
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return Rate(done * requests / seconds, done * points / seconds, cpu / (done * requests) * 1e6)


def _median(rates: list[Rate]) -> Rate:
    return Rate(*(statistics.median(column) for column in zip(*rates, strict=True)))


def _cpu_a_point(rate: Rate) -> float:
    """Seconds of CPU a point: what a busy machine leaves comparable."""
    return rate.cpu_us_per_request * rate.requests_per_s / rate.points_per_s / 1e6


def _figures(rate: Rate) -> dict[str, float]:
    return {name: round(value) for name, value in rate._asdict().items()}
