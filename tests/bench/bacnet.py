"""BACnet/IP: 2,000 points of 10 devices by change of value and by ReadPropertyMultiple.

Every value changes every five seconds; ours and bacpypes3 alone are measured one after the other. In
both ways 400 values/s arrive. Ours also reads status flags and reliability with each poll, normalises,
watches staleness, and keeps every value on disk.
"""

from typing import Any

from tests.bench.side_by_side import compare, plant

DEVICES, POINTS_EACH, EVERY_S = 10, 200, 5.0


async def run() -> dict[str, object]:
    """Run the benchmark; gives both ways of both, and the ratios."""
    result: dict[str, Any] = {"name": "bacnet", "ours": {}, "references": {}, "ratio": {}}
    async with plant("bacnet_plant", str(DEVICES), str(POINTS_EACH)) as found:
        for way in ("cov", "rpm"):
            target = {**found, "way": way, "points_each": POINTS_EACH, "every_s": EVERY_S}
            devices = [
                _device(number, port, found["first_instance"], cov=way == "cov")
                for number, port in enumerate(found["ports"])
            ]
            one = await compare("bacnet", target, DEVICES * POINTS_EACH, devices)
            for part in ("ours", "references", "ratio"):
                result[part][way] = one[part]
    return {**result, "rounds": one["rounds"], "points": DEVICES * POINTS_EACH}


def _device(number: int, port: int, first: int, *, cov: bool) -> dict[str, Any]:
    return {
        "name": f"d{number}", "host": f"127.0.0.1:{port}", "device_instance": first + number,
        "local_address": "127.0.0.1", "local_port": 0, "interval_s": EVERY_S,
        "points": [
            {"name": f"t{i}", "object": f"analog-input,{i}", "cov": cov}
            for i in range(1, POINTS_EACH + 1)
        ],
    }  # fmt: skip
