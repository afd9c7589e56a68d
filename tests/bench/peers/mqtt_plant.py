"""A publisher of numbers to a broker: ``mqtt_plant PORT TOPICS MESSAGES_A_SECOND``."""

# ruff: noqa: T201 - a command that prints

import json
import sys
import time

from paho.mqtt import client as mqtt

TICK_S = 0.02


def _main(port: int, topics: int, per_s: int) -> None:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bench-plant")
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    print(json.dumps({"port": port}), flush=True)
    each, sent, start = round(per_s * TICK_S), 0, time.monotonic()
    while True:
        for _ in range(each):
            client.publish(f"bench/{sent % topics}", f"{sent // topics % 1000 / 10:.1f}")
            sent += 1
        due = start + sent / per_s
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:4]))
