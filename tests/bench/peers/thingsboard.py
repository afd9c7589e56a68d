"""ThingsBoard IoT Gateway 3.8 in an environment of its own, and the part of a server it needs.

The gateway believes that a mosquitto on this machine is ThingsBoard: :class:`Platform` answers the
one question that it asks before it sends (``getSessionLimits``, without limits) and counts the data
points that arrive. Its settings are its own defaults, but for: no rate limit, no statistics, no
remote configuration, no retries of a Modbus request.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt

from tests.bench.peers.build import PeerMissingError

PACKAGES = ("thingsboard-gateway==3.8.5", "pymodbus==3.9.2", "pyserial", "pyserial-asyncio",
            "tb-mqtt-client")  # fmt: skip
"""The last four it would fetch by itself when it starts."""
LISTEN_S = 5.0
LIMITS = ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits",
          "deviceRateLimits", "deviceDpRateLimits")  # fmt: skip
UNLIMITED = "0:0,"


def install(folder: Path) -> Path:
    """Lay its environment, unless it lies there; gives the program."""
    program = folder / "bin" / "thingsboard-gateway"
    if not program.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        where = ["--quiet", "--python", folder / "bin" / "python"]
        subprocess.run([*uv, "pip", "install", *where, *PACKAGES], check=True)
    return program


class Platform:
    """What of ThingsBoard the gateway needs; counts what it delivers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.points = 0

    async def run(self) -> None:
        """Answer and count until cancelled."""
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            client.pending_calls_threshold = 100_000
            await client.subscribe("v1/gateway/telemetry", qos=1)
            await client.subscribe("v1/devices/me/rpc/request/+", qos=1)
            async for message in client.messages:
                topic = message.topic.value
                if topic == "v1/gateway/telemetry":
                    self.points += _points_in(json.loads(message.payload))
                else:
                    request = topic.rpartition("/")[2]
                    answer = json.dumps({"maxInflightMessages": 100, "rateLimits": {}})
                    await client.publish(f"v1/devices/me/rpc/response/{request}", answer, qos=1)


def _points_in(telemetry: dict[str, Any]) -> int:
    return sum(len(entry["values"]) for entries in telemetry.values() for entry in entries)


@contextlib.asynccontextmanager
async def run_broker(folder: Path, port: int) -> AsyncIterator[None]:
    """Run mosquitto without limits of its own on queued messages."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        msg = "mosquitto"
        raise PeerMissingError(msg)
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        "set_tcp_nodelay true\n",
        "utf-8",
    )
    broker = await asyncio.create_subprocess_exec(
        program, "-c", str(settings), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _until_it_listens(port)
        yield
    finally:
        broker.kill()
        await broker.wait()


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(LISTEN_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@contextlib.asynccontextmanager
async def run_gateway(
    program: Path, folder: Path, broker_port: int, slaves: list[dict[str, Any]]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the gateway with these Modbus devices (its word for one is "slave")."""
    _write_settings(program, folder, broker_port, slaves)
    gateway = await asyncio.create_subprocess_exec(
        program, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath, "TB_GW_CONFIG_DIR": str(folder / "config"), "HOME": str(folder)},
    )  # fmt: skip
    try:
        yield gateway
    finally:
        with contextlib.suppress(ProcessLookupError):
            gateway.kill()
        await gateway.wait()


def _write_settings(
    program: Path, folder: Path, broker_port: int, slaves: list[dict[str, Any]]
) -> None:
    [defaults] = program.parents[1].glob("lib/*/site-packages/thingsboard_gateway/config")
    config = folder / "config"
    config.mkdir()
    (folder / "logs").mkdir()
    settings = json.loads((defaults / "tb_gateway.json").read_text("utf-8"))
    platform = settings["thingsboard"]
    platform |= {"host": "127.0.0.1", "port": broker_port, "remoteConfiguration": False}
    platform |= {"security": {"type": "accessToken", "accessToken": "bench"}}
    platform |= dict.fromkeys(LIMITS, UNLIMITED)
    platform["statistics"]["enable"] = False
    modbus = {"name": "modbus", "type": "modbus", "configuration": "modbus.json"}
    settings["connectors"] = [modbus]
    for name, content in (
        ("tb_gateway.json", settings),
        ("modbus.json", {"master": {"slaves": slaves}, "name": "modbus", "logLevel": "ERROR"}),
    ):
        (config / name).write_text(json.dumps(content), "utf-8")
    for name in ("logs.json", "list.json"):
        shutil.copy(defaults / name, config / name)


def slave(unit: int, port: int, registers: int, period_ms: int) -> dict[str, Any]:
    """Describe one device with so many holding registers, each a tag of its own."""
    tags = [
        {"tag": f"r{a}", "type": "16uint", "functionCode": 3, "objectsCount": 1, "address": a}
        for a in range(registers)
    ]
    return {
        "host": "127.0.0.1", "port": port, "type": "tcp", "method": "socket", "unitId": unit,
        "deviceName": f"device-{unit}", "deviceType": "default", "timeout": 5,
        "byteOrder": "BIG", "wordOrder": "BIG", "retries": 0, "pollPeriod": period_ms,
        "connectAttemptTimeMs": 1000, "connectAttemptCount": 5, "waitAfterFailedAttemptsMs": 3000,
        "attributes": [], "timeseries": tags, "attributeUpdates": [], "rpc": [],
    }  # fmt: skip
