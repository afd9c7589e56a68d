"""The OPC UA simulator as a process of its own, its values standing still, for tests.

Starting asyncua's server takes seconds, and it cannot outlive its event loop, which every test has
its own of. It says ``{"endpoint": …}`` once it listens, and takes the words lose, restore, reset,
strict (trust no client) and lenient on its standard input, each answered by ``{"done": <word>}``.
"""

import asyncio
import json
import sys

from simulators.opcua.server import Simulator, serve


async def run() -> None:
    async with serve() as simulator:
        simulator.frozen = True
        _say(endpoint=simulator.endpoint)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            await _obey(simulator, line)
            _say(done=line)


async def _obey(simulator: Simulator, word: str) -> None:
    match word:
        case "lose":
            await simulator.go()
        case "restore":
            await simulator.come_back()
        case "reset":
            await simulator.show("Machine.FeedOverride", 100.0)
        case "strict":
            simulator.trusted = ()
        case "lenient":
            simulator.trusted = None


def _say(**what: str) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - it is a program


if __name__ == "__main__":
    asyncio.run(run())
