"""MQTT: 5,000 messages a second on 1,000 topics through mosquitto, ours beside aiomqtt alone.

Publisher and broker have processes of their own. Ours also finds the point of a topic, decodes,
normalises, watches staleness, and keeps every value on disk.
"""

from simulators.mqtt.broker import run_mosquitto
from tests.bench.side_by_side import compare, plant

TOPICS, PER_S = 1_000, 5_000


async def run() -> dict[str, object]:
    """Run the benchmark; gives both, and the ratios."""
    async with (
        run_mosquitto() as port,
        plant("mqtt_plant", str(port), str(TOPICS), str(PER_S)) as target,
    ):
        points = [{"name": f"t{i}", "topic": f"bench/{i}"} for i in range(TOPICS)]
        device = {
                "name": "plant", "host": "127.0.0.1", "port": port, "interval_s": 1.0,
                "points": points,
            }  # fmt: skip
        return {"name": "mqtt", **await compare("mqtt", target, TOPICS, [device])}
