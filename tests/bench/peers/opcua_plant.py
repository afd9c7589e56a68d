"""An asyncua server whose variables all change once a second: ``opcua_plant N``."""

# ruff: noqa: T201 - a command that prints

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

from asyncua import Node, Server, ua

from simulators.site.processes import free_port

NAMESPACE = "urn:tidegate:bench"
A_FOLDER = 100


async def _main(count: int) -> None:
    server = Server()
    await server.init()
    server.disable_clock()
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    endpoint = f"opc.tcp://127.0.0.1:{free_port()}/bench"
    server.set_endpoint(endpoint)
    space = await server.register_namespace(NAMESPACE)
    nodes: list[Node] = []
    while len(nodes) < count:  # a folder of thousands takes minutes to fill
        folder = await server.nodes.objects.add_folder(space, f"plant-{len(nodes)}")
        nodes += [
            await folder.add_variable(ua.NodeId(f"v{i}", space), f"v{i}", 0.0)
            for i in range(len(nodes), min(len(nodes) + A_FOLDER, count))
        ]
    async with server:
        print(json.dumps({"endpoint": endpoint, "namespace": space}), flush=True)
        tick, due = 0, time.monotonic()
        while True:
            tick, due = tick + 1, due + 1.0
            now = datetime.now(UTC)
            for i, node in enumerate(nodes):
                value = ua.DataValue(
                    ua.Variant(float(tick + i), ua.VariantType.Double),
                    SourceTimestamp=now, ServerTimestamp=now,
                )  # fmt: skip
                await server.write_attribute_value(node.nodeid, value)
                if i % A_FOLDER == 0:
                    await asyncio.sleep(0)  # let it answer in between
            await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
