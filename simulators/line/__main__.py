"""Run a line by itself: ``python -m simulators.line 8444 127.0.0.1:8443``.

It takes one word a line from its standard input: ``cut``, ``restore``, ``stall``, ``lose``,
``delay 0.2``, ``throttle 8000``, ``state``; it stops at the end of the input.
"""

import argparse
import asyncio
import sys

from simulators.line.proxy import LineProxy


async def obey(line: LineProxy, words: list[str]) -> str:
    """Do what one line of the input says, and give the answer for people."""
    match words:
        case ["cut"]:
            await line.cut()
        case ["restore"]:
            line.delay(0.0)
            line.throttle(None)
            await line.restore()
        case ["stall"]:
            line.stall()
        case ["lose"]:
            line.lose_answers()
        case ["delay", seconds]:
            line.delay(float(seconds))
        case ["throttle", rate]:
            line.throttle(float(rate))
        case ["state"]:
            return f"{line.connections} open, {line.bytes_up} bytes up, {line.bytes_down} down"
        case _:
            return "cut, restore, stall, lose, delay SECONDS, throttle BYTES_PER_S, state"
    return "done"


async def serve(listen_port: int, host: str, port: int) -> None:
    """Carry until the standard input ends."""
    loop = asyncio.get_running_loop()
    async with LineProxy(host, port, listen_port=listen_port) as line:
        print(f"line from 127.0.0.1:{line.port} to {host}:{port}", flush=True)  # noqa: T201 - the answer
        while text := await loop.run_in_executor(None, sys.stdin.readline):
            print(await obey(line, text.split()), flush=True)  # noqa: T201 - the answer


def main() -> None:
    """Read the two addresses and serve."""
    parser = argparse.ArgumentParser(prog="simulators.line", description="A line that can break.")
    parser.add_argument("listen_port", type=int)
    parser.add_argument("to", help="host:port of the cloud")
    arguments = parser.parse_args()
    host, _, port = arguments.to.rpartition(":")
    asyncio.run(serve(arguments.listen_port, host, int(port)))


if __name__ == "__main__":
    main()
