"""An asyncua server whose variables all change once a second: ``opcua_plant N``."""

# ruff: noqa: T201 - a command that prints

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

from asyncua import Server, ua

from simulators.site.processes import free_port

NAMESPACE = "urn:tidegate:bench"


async def _main(count: int) -> None:
    server = Server()
    await server.init()
    server.disable_clock()
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    endpoint = f"opc.tcp://127.0.0.1:{free_port()}/bench"
    server.set_endpoint(endpoint)
    space = await server.register_namespace(NAMESPACE)
    folder = await server.nodes.objects.add_folder(space, "plant")
    nodes = [
        await folder.add_variable(ua.NodeId(f"v{i}", space), f"v{i}", 0.0) for i in range(count)
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
            await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
