"""Runs inside a network namespace: devices that hear broadcasts, or a driver that looks for them.

    python -m tests.integration.bacnet.bacnet_broadcast serve 10.9.0.2/24=2001 10.9.0.3/24=2002
    python -m tests.integration.bacnet.bacnet_broadcast read 10.9.0.1/24 2001 2002
    python -m tests.integration.bacnet.bacnet_broadcast scan 10.9.0.1/24=broadcast -=broadcast

``serve`` prints ``"ready"`` and ends with its standard input; the others print JSON. ``read`` reads each
device, waits for a line on standard input, and reads again.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack

from components.bacnet.driver import QUIET_S, driver
from edge_runtime.discovery import Found, ScanTarget
from edge_runtime.errors import DeviceError
from simulators.bacnet.device import serve
from simulators.bacnet.objects import analog

PORT = 47_808
POINTS = [{"name": "t", "object": "analog-input,1"}]


def say(data) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


async def serve_all(*places: str) -> None:
    async with AsyncExitStack() as stack:
        for place in places:
            host, instance = place.split("=")
            sensor = analog("input", 1, "T", float(instance), "degrees-celsius")
            await stack.enter_async_context(serve(int(instance), [sensor], host=host, port=PORT))
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)


async def read_all(local: str, *instances: str) -> None:
    async with AsyncExitStack() as stack:
        devices = [
            await stack.enter_async_context(
                driver.open_device(
                    driver.settings(
                        name="device", device_instance=int(instance), local_address=local,
                        timeout_s=1, points=POINTS,
                    )
                )
            )
            for instance in instances
        ]  # fmt: skip
        for _ in range(2):
            say([await outcome(device) for device in devices])
            await asyncio.to_thread(sys.stdin.readline)
            await asyncio.sleep(QUIET_S)


async def outcome(device) -> list:
    for _ in range(2):  # what it knew of an address may be old
        try:
            [reading] = await device.read(["t"])
        except DeviceError as exc:
            said = [str(exc), exc.hint]
        else:
            return [reading.value, str(device._memory.place.address)]
    return said


async def scan(*scans: str) -> None:
    for local, where in (words.split("=") for words in scans):
        options = {} if local == "-" else {"local": local}
        target = ScanTarget((where,), 0.5, options=options)
        found = [item async for item in driver.discover(target) if isinstance(item, Found)]
        say([[item.identity, item.address] for item in found])


if __name__ == "__main__":
    work = {"serve": serve_all, "read": read_all, "scan": scan}[sys.argv[1]]
    asyncio.run(work(*sys.argv[2:]))
