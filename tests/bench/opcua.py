"""OPC UA: 10,000 monitored items at 1 Hz, ours beside asyncua alone.

The server is asyncua's, in a process of its own and without security, so that the client's work is
what differs. Ours also normalises, watches staleness, and keeps every value on disk.
"""

from tests.bench.side_by_side import compare, plant

ITEMS = 10_000


async def run() -> dict[str, object]:
    """Run the benchmark; gives both, and the ratios."""
    async with plant("opcua_plant", str(ITEMS)) as target:
        points = [
            {"name": f"v{i}", "node": f"ns={target['namespace']};s=v{i}", "queue_size": 10}
            for i in range(ITEMS)
        ]
        device = {
            "name": "plant", "endpoint": target["endpoint"], "security_policy": "None",
            "interval_s": 1.0, "timeout_s": 20.0, "points": points,
        }  # fmt: skip
        return {"name": "opcua", **await compare("opcua", target, ITEMS, [device])}
