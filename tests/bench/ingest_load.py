"""The load of the ingest benchmark, in a process of its own: bare HTTP/1.1 on bare sockets.

Reads a plan (msgpack) from the file it is given: port, and for each connection its requests, ready
to be written. Prints seconds from the first byte to the last answer, and the latencies.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import msgspec


class Plan(msgspec.Struct):
    port: int
    connections: list[list[bytes]]


async def run_connection(port: int, requests: list[bytes], latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200") or b"refused" in body or b"duplicate" in body:
            raise SystemExit(f"not stored: {head[:200]!r} {body[:200]!r}")
        latencies.append(time.perf_counter() - began)
    writer.close()


async def main(plan: Plan) -> None:
    latencies: list[float] = []
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for requests in plan.connections:
            group.create_task(run_connection(plan.port, requests, latencies))
    seconds = time.perf_counter() - began
    latencies.sort()
    print(json.dumps({"seconds": seconds, "p50_ms": latencies[len(latencies) // 2] * 1e3}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Plan)))
