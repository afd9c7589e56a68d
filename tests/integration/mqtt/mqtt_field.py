"""A broker and devices for the tests: what most of them begin with."""

import asyncio
import shutil
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from components.mqtt.driver import driver
from simulators.mqtt.broker import find_mosquitto, run_mosquitto

PLUGIN = Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so")


def needed() -> None:
    if find_mosquitto() is None or shutil.which("mosquitto_pub") is None:
        pytest.skip("needs mosquitto (Debian: mosquitto mosquitto-clients; `make packages`)")


@asynccontextmanager
async def broker(**more):
    """Run mosquitto; skips where there is none."""
    needed()
    async with run_mosquitto(**more) as port:
        yield port


async def publish(port: int, topic: str, text: str, *more: str) -> None:
    """Publish by mosquitto_pub."""
    command = ["mosquitto_pub", "-p", str(port), "-t", topic, "-m", text, *more]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    await process.wait()


def settings(port: int, *points, **more):
    """Settings of a device; a point may be given as its topic alone."""
    made = [
        {"name": f"p{number}", "topic": point} if isinstance(point, str) else point
        for number, point in enumerate(points)
    ]
    fields = {"name": "d", "host": "127.0.0.1", "port": port, "timeout_s": 0.6, "points": made}
    return driver.settings(**fields | more)


class Ear:
    """What a device reports, gathered in the background."""

    def __init__(self, device, points):
        self.readings = []
        self.confirmed = []
        self.trouble = None
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._listen(device, points))

    async def _listen(self, device, points):
        try:
            async with aclosing(device.changes(points)) as changes:
                async for news in changes:
                    self.readings += news.readings
                    self.confirmed += news.confirmed
                    self._arrived.set()
        except Exception as exc:
            self.trouble = exc
            self._arrived.set()
            raise

    async def until(self, true, limit_s: float = 5.0):
        async with asyncio.timeout(limit_s):
            while not true(self):
                self._arrived.clear()
                await self._arrived.wait()

    async def value(self, point: str, value, limit_s: float = 5.0):
        """Wait for a value and give its reading."""

        def came(ear):
            return [r for r in ear.readings if r.point == point and r.value == value]

        await self.until(came, limit_s)
        return came(self)[-1]

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def hearing(made, open_driver=driver):
    """Open a device and hear it; waits until it is subscribed."""
    async with open_driver.open_device(made) as device:
        ear = Ear(device, [point.name for point in made.points])
        try:
            yield device, ear
        finally:
            await ear.close()
