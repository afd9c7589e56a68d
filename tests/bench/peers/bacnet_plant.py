"""BACnet devices whose values all change every five seconds: ``bacnet_plant DEVICES POINTS``."""

# ruff: noqa: T201 - a command that prints

import asyncio
import contextlib
import json
import sys
import time

from simulators.bacnet.device import serve
from simulators.bacnet.objects import analog

FIRST_INSTANCE = 3_000
CHANGE_S = 5.0


async def _main(devices: int, points: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        ports, all_objects = [], []
        for number in range(devices):
            objects = [
                analog("input", i, f"t{i}", 20.0, "degreesCelsius", increment=0.01)
                for i in range(1, points + 1)
            ]
            _, port = await stack.enter_async_context(serve(FIRST_INSTANCE + number, objects))
            ports.append(port)
            all_objects += objects
        print(json.dumps({"ports": ports, "first_instance": FIRST_INSTANCE}), flush=True)
        tick, due = 0, time.monotonic()
        while True:
            tick, due = tick + 1, due + CHANGE_S
            for place, obj in enumerate(all_objects):
                obj.presentValue = 20.0 + (tick + place) % 10
                if place % 20 == 0:  # spread over the period, as real changes are
                    await asyncio.sleep(max(0.0, CHANGE_S * 0.8 / len(all_objects) * 20))
            await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
