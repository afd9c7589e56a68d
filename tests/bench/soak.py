"""Every protocol at once, 10,000 points a second, for an hour: is memory flat, are values fresh?

The plant of the demo (every protocol), and beside it what makes the load: ten Modbus devices of 820
registers, 1,000 MQTT topics, 500 OPC UA variables and a BACnet device of 200 values, all changing. One
gateway as it is installed reads all of it, against the real cloud. Once a second the age of each
device's newest good value and the memory of the gateway are taken down.

    make soak ARGS="--seconds 3600"
"""

import asyncio
import statistics
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

from simulators.mqtt.broker import run_mosquitto
from simulators.site.plant import serve_site
from tests.bench.footprint import devices_of
from tests.bench.gateway import Gateway, run_cloud, run_gateway
from tests.bench.peers.build import build_peer, run_server
from tests.bench.side_by_side import plant

HOUR_S = 3600.0
WARM_S = 15.0
LOOK_S = 1.0
REGISTERS = 820
TOPICS, VARIABLES, OBJECTS = 1_000, 500, 200
FLAT_PARTS = 4
"""Memory is compared between the first and the last part of the run."""


class Look(NamedTuple):
    """The gateway at one moment."""

    memory_mb: float
    ages_s: list[float]
    """Of the newest good value of each device that is not silent."""


async def run(seconds: float = HOUR_S, *, load: float = 1.0) -> dict[str, Any]:
    """Run the soak; gives memory at both ends, staleness, and what was lost.

    ``load`` is the part of the 10,000 points/s that is asked for.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            devices = await _plant(folder, stack, load)
            cloud = await stack.enter_async_context(run_cloud(folder / "cloud"))
            gateway = await stack.enter_async_context(run_gateway(folder / "soak", cloud, devices))
            await asyncio.sleep(WARM_S)
            before = gateway.look()
            looks = []
            end = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < end:
                looks.append(_look(gateway))
                await asyncio.sleep(LOOK_S)
            after = gateway.look()
            runtime, _ = gateway.statuses()
    assert runtime is not None
    part = max(1, len(looks) // FLAT_PARTS)
    first, last = (
        statistics.median(look.memory_mb for look in some) for some in (looks[:part], looks[-part:])
    )
    ages = sorted(age for look in looks for age in look.ages_s)
    committed = after.committed - before.committed
    return {
        "name": "soak",
        "ours": {
            "seconds": round(after.at - before.at),
            "devices": len(devices),
            "samples_per_s": round(committed / (after.at - before.at)),
            "memory_first_mb": round(first, 1),
            "memory_last_mb": round(last, 1),
            "age_p50_s": round(ages[len(ages) // 2], 2),
            "age_p99_s": round(ages[int(len(ages) * 0.99)], 2),
            "age_worst_s": round(ages[-1], 2),
            "dropped_samples": runtime.outbox.dropped,
            "backlog_samples": after.backlog,
        },
        "references": {"aim_samples_per_s": 10_000},
        "ratio": {
            "memory_last_to_first": round(last / first, 3),
            "samples_to_aim": round(committed / (after.at - before.at) / 10_000, 3),
        },
    }


def _look(gateway: Gateway) -> Look:
    window = gateway.look()
    runtime, _ = gateway.statuses()
    assert runtime is not None
    ages = [
        max(0.0, runtime.time_us - status.newest_good_us) / 1e6
        for name, status in runtime.devices.items()
        if status.newest_good_us is not None and status.silent_since_us is None
    ]
    return Look(sum(window.memory.values()) / 1e6, ages)


async def _plant(folder: Path, stack: AsyncExitStack, load: float) -> list[dict[str, Any]]:
    """Bring everything up; gives all devices for gateway.yaml."""
    registers, topics, variables, objects = (
        round(load * count) for count in (REGISTERS, TOPICS, VARIABLES, OBJECTS)
    )
    program = build_peer("modbus_server", folder)
    port = await stack.enter_async_context(run_server(program, registers=registers, changing=True))
    broker = await stack.enter_async_context(run_mosquitto())
    await stack.enter_async_context(plant("mqtt_plant", str(broker), str(topics), str(topics)))
    opcua = await stack.enter_async_context(plant("opcua_plant", str(variables)))
    bacnet = await stack.enter_async_context(plant("bacnet_plant", "1", str(objects)))
    site = await stack.enter_async_context(serve_site(folder / "soak"))
    return [
        *({**device, "protocol": "modbus"} for device in devices_of(port, registers)),
        {
            "name": "load-mqtt", "protocol": "mqtt", "host": "127.0.0.1", "port": broker,
            "interval_s": 1.0,
            "points": [{"name": f"t{i}", "topic": f"bench/{i}"} for i in range(topics)],
        },
        {
            "name": "load-opcua", "protocol": "opcua", "endpoint": opcua["endpoint"],
            "security_policy": "None", "interval_s": 1.0,
            "points": [
                {"name": f"v{i}", "node": f"ns={opcua['namespace']};s=v{i}"}
                for i in range(variables)
            ],
        },
        {
            "name": "load-bacnet", "protocol": "bacnet", "interval_s": 5.0,
            "host": f"127.0.0.1:{bacnet['ports'][0]}",
            "device_instance": bacnet["first_instance"],
            "local_address": "127.0.0.1", "local_port": 0,
            "points": [
                {"name": f"t{i}", "object": f"analog-input,{i}"} for i in range(1, objects + 1)
            ],
        },
        *site,
    ]  # fmt: skip
