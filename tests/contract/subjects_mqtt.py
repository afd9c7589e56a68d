"""MQTT for the driver contract: mosquitto with devices made of mosquitto's own programs, and an
edge node.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from subject import Subject

from components.mqtt.driver import driver
from components.sparkplug.driver import driver as sparkplug_driver
from simulators.mqtt.broker import find_mosquitto, run_mosquitto
from simulators.mqtt.edge_node import serve_node
from simulators.mqtt.press_line import PressLine

POINTS = [
    {"name": "plain", "topic": "dev/plain"},
    {"name": "state", "topic": "dev/+/state", "kind": "boolean"},
    {"name": "mode", "topic": "dev/mode", "kind": "integer", "map": {"AUTO": 1, "MAN": 2}},
    {"name": "temp", "topic": "dev/doc", "json_path": "$.t[0].v", "time_path": "$.at"},
    {"name": "serial", "topic": "dev/doc", "json_path": "$.serial", "kind": "text"},
    {"name": "senml", "topic": "dev/pack", "format": "senml", "record": "urn:x:rh"},
    {"name": "setpoint", "topic": "dev/setpoint", "command": {
        "topic": "dev/setpoint/set", "format": "json", "response_topic": "dev/answer"}},
    {"name": "garbage", "topic": "dev/garbage", "json_path": "$.t"},
]  # fmt: skip
RETAINED = {
    "dev/plain": "21.5",
    "dev/pump/state": "ON",
    "dev/mode": "MAN",
    "dev/doc": '{"t": [{"v": -3.25}], "serial": "SN-4711", "at": "2026-02-03T04:05:06Z"}',
    "dev/pack": '[{"bn": "urn:x:", "n": "t", "v": 7}, {"n": "rh", "u": "%RH", "v": 44.5}]',
    "dev/setpoint": "40",
    "dev/garbage": "{]",
}
VALUES = {
    "plain": 21.5, "state": True, "mode": 2, "temp": -3.25, "serial": "SN-4711", "senml": 44.5,
    "setpoint": 40,
}  # fmt: skip
TIMEOUT_S = 2.0


def needed() -> None:
    if find_mosquitto() is None or shutil.which("mosquitto_pub") is None:
        pytest.skip("needs mosquitto (Debian: mosquitto mosquitto-clients; `make packages`)")


async def publish(port: int, topic: str, text: str, *more: str) -> None:
    """Publish by mosquitto_pub."""
    command = ["mosquitto_pub", "-p", str(port), "-t", topic, "-m", text, *more]
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0


class Field:
    """A broker with a device of other people's programs, that can be taken away and come back."""

    def __init__(self, *, five: bool) -> None:
        self._five = five
        self._stack = AsyncExitStack()
        self.port = 0

    async def restore(self) -> None:
        self.port = await self._stack.enter_async_context(run_mosquitto(self.port))
        await asyncio.gather(*(publish(self.port, t, m, "-r") for t, m in RETAINED.items()))
        await self._stack.enter_async_context(self._actuator())

    async def lose(self) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def _actuator(self):
        """Take commands by mosquitto_sub, answer by mosquitto_pub."""
        version = ["-V", "mqttv5"] if self._five else []
        process = await asyncio.create_subprocess_exec(
            "mosquitto_sub", "-p", str(self.port), *version, "-t", "dev/setpoint/set",
            "-t", "dev/ready", "-F", "%t|%R|%D|%p" if self._five else "%t|||%p",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        while True:  # until the subscription stands
            await publish(self.port, "dev/ready", "?")
            try:
                async with asyncio.timeout(0.1):
                    await process.stdout.readline()
                break
            except TimeoutError:
                continue
        answering = asyncio.create_task(self._answer(process.stdout))
        try:
            yield
        finally:
            answering.cancel()
            process.terminate()
            await process.wait()

    async def _answer(self, lines) -> None:
        while line := await lines.readline():
            topic, response, correlation, payload = line.decode().strip().split("|", 3)
            if topic != "dev/setpoint/set":
                continue
            command = json.loads(payload)
            await publish(self.port, "dev/setpoint", str(command["value"]), "-r")
            answer = json.dumps({"ok": True} | {k: v for k, v in command.items() if k == "id"})
            more = ["-V", "mqttv5", "-D", "publish", "correlation-data", correlation]
            await publish(self.port, response or "dev/answer", answer, *(more if response else []))


@asynccontextmanager
async def _mosquitto(version: str) -> AsyncIterator[Subject]:
    needed()
    field = Field(five=version == "5.0")
    await field.restore()
    points = [point | {"on_change": True} for point in POINTS]
    if version == "3.1.1":
        command = POINTS[6]["command"] | {"correlation": "id"}
        points[6] = points[6] | {"command": command}
    settings = driver.settings(
        name="device", host="127.0.0.1", port=field.port, version=version, timeout_s=TIMEOUT_S,
        points=points,
    )  # fmt: skip
    try:
        yield Subject(
            driver, settings, VALUES, "garbage", field.lose, field.restore, ("setpoint", 55)
        )
    finally:
        await field.lose()


@asynccontextmanager
async def mosquitto_311(folder: Path) -> AsyncIterator[Subject]:
    """Devices of mosquitto_pub and mosquitto_sub, MQTT 3.1.1."""
    async with _mosquitto("3.1.1") as subject:
        yield subject


@asynccontextmanager
async def mosquitto_5(folder: Path) -> AsyncIterator[Subject]:
    """The same with MQTT 5.0: response topic and correlation data."""
    async with _mosquitto("5.0") as subject:
        yield subject


class Steady(PressLine):
    """A press line that stands still, so that its values are known."""

    interval_s = 0.1

    def advance(self, dt: float) -> None:
        self._speed.value = self.setpoint


class Place:
    """A broker with an edge node."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self.port = 0

    async def restore(self) -> None:
        self.port = await self._stack.enter_async_context(run_mosquitto(self.port))
        await self._stack.enter_async_context(serve_node(Steady(), "127.0.0.1", self.port))

    async def lose(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def sparkplug(folder: Path) -> AsyncIterator[Subject]:
    """Our edge node behind mosquitto."""
    needed()
    place = Place()
    await place.restore()
    metrics = ["Setpoint", "Torque", "Strokes", "Running", "Recipe", "Settings"]
    kinds = {"Running": "boolean", "Recipe": "text"}
    settings = sparkplug_driver.settings(
        name="device", host="127.0.0.1", port=place.port, timeout_s=TIMEOUT_S,
        group_id="plant", edge_node_id="press-line", device_id="drive-1",
        points=[
            {"name": name.lower(), "metric": f"Drive/{name}", "kind": kinds.get(name, "float"),
             "access": "read_write" if name == "Setpoint" else "read"}
            for name in metrics
        ],
    )  # fmt: skip
    good = {
        "setpoint": 32.0, "torque": -35, "strokes": 1_204_881, "running": True,
        "recipe": "lid 200 mm",
    }  # fmt: skip
    try:
        yield Subject(
            sparkplug_driver, settings, good, "settings", place.lose, place.restore,
            ("setpoint", 12.5),
        )  # fmt: skip
    finally:
        await place.lose()
