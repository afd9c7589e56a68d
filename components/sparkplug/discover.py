"""Looking for edge nodes: they are asked for their birth, which names all their metrics."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from components.mqtt.broker import Broker, shared_broker
from components.mqtt.broker_settings import BrokerAddress
from components.mqtt.client import Message
from components.mqtt.discover import broker_of, listening_seconds, topic_filter
from components.mqtt.errors import ACL_HINT, BrokerRefusedError, reason_text
from components.mqtt.proposing import broker_fields, kind_of, point_name
from components.sparkplug.node import EdgeNode
from components.sparkplug.payload import MAX_BYTES
from components.sparkplug.topic import NAMESPACE, Kind, SparkplugTopic, parse_topic
from components.sparkplug.watch import COMMANDS, rebirth_request
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.model import Quality, Reading

MAX_NODES = 200
MAX_POINTS = 500
"""Of one proposed device."""
STEP_S = 0.5
EVERYTHING = f"{NAMESPACE}/#"


class Gathering:
    """The edge nodes of a broker that were heard."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[str, str], EdgeNode] = {}
        self.unborn: set[tuple[str, str]] = set()
        """Heard of, and not yet asked for a birth."""

    def listen(self, message: Message) -> None:
        """Take a message."""
        topic = parse_topic(message.topic)
        if topic is None or topic.kind in COMMANDS or message.retained:
            return
        key = (topic.group, topic.node)
        if key not in self.nodes:
            if len(self.nodes) >= MAX_NODES:
                return
            self.nodes[key] = EdgeNode()
            if topic.kind not in {Kind.NBIRTH, Kind.NDEATH}:
                self.unborn.add(key)
        node = self.nodes[key]
        node.take(topic.kind, topic.device, message.payload, max_bytes=MAX_BYTES)


async def discover(target: ScanTarget) -> AsyncIterator[Progress | Found]:
    """Listen on each broker for a while, and ask who is heard for a birth, once.

    Raises:
        SettingsError: a target or an option is none.
        DeviceUnreachableError: a broker does not answer.
        DeviceRefusedError: a broker refuses the connection or the subscription.

    """
    seconds = listening_seconds(target.options)
    topic = topic_filter(target.options, EVERYTHING)
    for address in [broker_of(text, target) for text in target.targets]:
        gathering = Gathering()
        async with shared_broker(address) as broker:
            async for progress in _listen(broker, topic, seconds, target, gathering):
                yield progress
        for key, node in sorted(gathering.nodes.items()):
            for found in propose(address, *key, node):
                yield found


async def _listen(
    broker: Broker, topic: str, seconds: float, target: ScanTarget, gathering: Gathering
) -> AsyncIterator[Progress]:
    await broker.connect(target.timeout_s)
    refused = await broker.subscribe([topic], 0, gathering.listen)
    if refused:
        msg = f"{broker.address.at} refused '{topic}': {reason_text(refused[topic])}"
        raise BrokerRefusedError(msg, hint=ACL_HINT)
    steps, requests = max(1, round(seconds / STEP_S)), 1
    for step in range(steps):
        doing = f"{broker.address.at}: {len(gathering.nodes)} edge nodes"
        yield Progress(step, steps, doing, requests)
        await asyncio.sleep(seconds / steps)
        if not broker.session:
            raise broker.lost_error()
        while gathering.unborn and requests < target.max_requests:
            group, node = gathering.unborn.pop()
            request = SparkplugTopic(group, Kind.NCMD, node)
            await broker.publish(str(request), rebirth_request(), qos=0)
            requests += 1
    await asyncio.sleep(min(target.timeout_s, STEP_S))  # for the last births to arrive


def propose(address: BrokerAddress, group: str, node_id: str, node: EdgeNode) -> Iterator[Found]:
    """Propose the edge node and each of its devices that have metrics to read."""
    for device, source in node.sources.items():
        points: list[dict[str, Any]] = []
        values: list[Reading] = []
        names: set[str] = set()
        for metric, sample in source.now.items():
            if sample.quality is Quality.BAD or sample.value is None or len(points) >= MAX_POINTS:
                continue
            if device == "" and (metric == "bdSeq" or metric.startswith("Node Control/")):
                continue
            name = _unused(point_name(metric), names)
            points.append({"name": name, "metric": metric, "kind": kind_of(sample.value).value})
            values.append(Reading(name, sample.value, source_us=sample.source_us))
        if points:
            where = "/".join(filter(None, (group, node_id, device)))
            ids = {"group_id": group, "edge_node_id": node_id, "device_id": device}
            yield Found(
                protocol="sparkplug",
                address=f"{address.at} {where}",
                identity=where,
                title=f"{'device' if device else 'edge node'} {where}, {len(source.now)} metrics",
                settings=broker_fields(address, "sparkplug") | {k: v for k, v in ids.items() if v},
                points=tuple(points),
                values=tuple(values),
            )


def _unused(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found = f"{name[:58]}_{number}"
        number += 1
    taken.add(found)
    return found
