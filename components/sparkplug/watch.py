"""One edge node on one broker, watched for all devices of the gateway that read from it.

Messages must be taken in their order and by one pair of eyes: the order is counted over the edge
node and all its devices.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from components.mqtt.broker import Broker
from components.mqtt.client import Message
from components.mqtt.errors import ACL_HINT, BrokerRefusedError, reason_text
from components.sparkplug.metric import DataType
from components.sparkplug.node import EdgeNode, Outcome
from components.sparkplug.payload import Payload
from components.sparkplug.settings import Settings
from components.sparkplug.topic import Kind, SparkplugTopic, node_filter, parse_topic

REBIRTH_PAUSE_S = 10.0
"""Between two requests for a birth: a large edge node has much to say."""
REBIRTH = b"Node Control/Rebirth"
"""Metric that asks for a birth (Sparkplug 3.0, 6.4.23)."""
COMMANDS = frozenset({Kind.NCMD, Kind.DCMD})

Observer = Callable[[Outcome], None]
"""Takes what a message meant, quickly."""


class NodeWatch:
    """An edge node, its state, and who wants to know."""

    def __init__(self, broker: Broker, group: str, node: str) -> None:
        self.node = EdgeNode()
        self.observers: list[Observer] = []
        self.rebirths = 0
        """Births that were asked for."""
        self._broker = broker
        self._group = group
        self._node_id = node
        self._max_bytes = 0
        self._session = 0
        self._joining = asyncio.Lock()
        self._wanted = ""
        self._asked_at: float | None = None

    @property
    def session(self) -> int:
        """The broker's session that the state belongs to; 0 when that one is over."""
        return self._session if self._session == self._broker.session else 0

    async def join(self, settings: Settings) -> bool:
        """See to it that the edge node is watched; tells whether it is from now on only.

        Raises:
            DeviceUnreachableError: the broker is gone.
            DeviceRefusedError: the broker refuses the connection or the subscription.

        """
        async with self._joining:
            self._max_bytes = max(self._max_bytes, settings.max_payload_bytes)
            if self.session:
                return False
            session = await self._broker.connect(settings.timeout_s)
            self.node = EdgeNode()
            self._wanted, self._asked_at = "it was not heard yet", None
            topic_filter = node_filter(self._group, self._node_id)
            refused = await self._broker.subscribe([topic_filter], settings.qos, self._listen)
            if refused:
                code = reason_text(refused[topic_filter])
                msg = f"{self._broker.address.at} refused '{topic_filter}': {code}"
                raise BrokerRefusedError(msg, hint=ACL_HINT)
            self._session = session
            self._broker.when_lost(self._lost)
            await self.ask_for_birth()
            return True

    async def prove(self, settings: Settings) -> None:
        """Make sure that the broker is still there: it must answer a subscription.

        Raises:
            DeviceUnreachableError: it is not.

        """
        topic_filter = node_filter(self._group, self._node_id)
        await self._broker.subscribe([topic_filter], settings.qos, self._listen)

    async def leave(self) -> None:
        """Stop watching."""
        topic_filter = node_filter(self._group, self._node_id)
        await self._broker.forget([topic_filter], self._listen, tell=self._broker.users > 1)

    def _listen(self, message: Message) -> None:
        topic = parse_topic(message.topic)
        if message.retained or topic is None or topic.kind in COMMANDS:
            return  # Sparkplug retains no births, data or deaths (3.0, 6.4): what is kept is old
        data = message.payload
        outcome = self.node.take(topic.kind, topic.device, data, max_bytes=self._max_bytes)
        if outcome.rebirth:
            self._wanted = outcome.rebirth
        elif topic.kind is Kind.NBIRTH:
            self._wanted = ""
        self._tell(outcome)

    def _lost(self) -> None:
        self._tell(Outcome())

    def _tell(self, outcome: Outcome) -> None:
        for observer in self.observers:
            observer(outcome)

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing since the last birth."""
        return not self._wanted

    @property
    def birth_is_due(self) -> bool:
        """Whether a birth is needed and was not asked for a moment ago."""
        if not self._wanted:
            return False
        now = asyncio.get_running_loop().time()
        return self._asked_at is None or now - self._asked_at >= REBIRTH_PAUSE_S

    async def ask_for_birth(self) -> None:
        """Ask for a new birth where one is needed, at most once in a while.

        Raises:
            DeviceUnreachableError: the broker is gone.
            DeviceRefusedError: the broker does not let us command.

        """
        if not self.birth_is_due:
            return
        self._asked_at = (
            asyncio.get_running_loop().time()
        )  # wanted until one comes: a request is lost
        self.rebirths += 1
        topic = SparkplugTopic(self._group, Kind.NCMD, self._node_id)
        await self._broker.publish(str(topic), rebirth_request(), qos=0)


def new_payload() -> Any:
    """Make an empty payload of now."""
    return Payload(timestamp=time.time_ns() // 1_000_000)


def rebirth_request() -> bytes:
    """Make the command that asks for a birth."""
    payload = new_payload()
    payload.metrics.add(
        name=REBIRTH,
        datatype=int(DataType.BOOLEAN),
        boolean_value=True,
        timestamp=payload.timestamp,
    )
    data: bytes = payload.SerializeToString()
    return data


_watches: WeakKeyDictionary[Broker, dict[tuple[str, str], NodeWatch]] = WeakKeyDictionary()
"""By the shared connection, and by group and edge node."""


@asynccontextmanager
async def shared_watch(
    broker: Broker, settings: Settings, observer: Observer
) -> AsyncIterator[NodeWatch]:
    """Share the watch over an edge node with every other device that reads from it."""
    watches = _watches.setdefault(broker, {})
    key = (settings.group_id, settings.edge_node_id)
    watch = watches.setdefault(key, NodeWatch(broker, *key))
    watch.observers.append(observer)
    try:
        yield watch
    finally:
        watch.observers.remove(observer)
        if not watch.observers:
            watches.pop(key, None)
            await watch.leave()
