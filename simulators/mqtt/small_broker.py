"""A small MQTT 3.1.1 broker for a demo on machines without mosquitto; never for a site.

QoS 0 and 1 (what is on its way when a client leaves is lost), retained messages, last wills, keep
alive. No login, no TLS, no sessions that outlive a connection, and it listens on loopback.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from components.mqtt.topics import TopicTree, wrong_filter
from simulators.mqtt import wire
from simulators.mqtt.wire import Packet, Publish, Type, WireError

LOOPBACK = "127.0.0.1"
MAX_CLIENTS = 200
MAX_FILTERS = 1_000
MAX_RETAINED = 10_000
MAX_BUFFERED = 4 << 20
"""Bytes that wait for a slow client; past it messages to it are dropped."""
CONNECT_S = 5.0
WRONG_VERSION = 1


class Client:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter, hello: wire.Connect) -> None:
        self.hello = hello
        self.will = hello.will
        self.filters: dict[str, int] = {}
        self._writer = writer
        self._next_id = 0

    def send(self, data: bytes) -> None:
        """Send a packet, unless the client is too slow or gone."""
        if self._writer.transport.get_write_buffer_size() <= MAX_BUFFERED:
            self._writer.write(data)

    def deliver(self, message: Publish, qos: int) -> None:
        """Send a message at the lower of both qualities."""
        qos = min(qos, message.qos)
        if qos:
            self._next_id = self._next_id % 0xFFFF + 1
        self.send(wire.publish(message._replace(qos=qos, packet_id=self._next_id)))

    def drop(self) -> None:
        """End the connection."""
        self._writer.transport.abort()


class SmallBroker:
    """What clients subscribed to, and what was retained."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._tree: TopicTree[Client] = TopicTree()
        self._retained: dict[str, Publish] = {}
        self.connections: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            async with asyncio.timeout(CONNECT_S):
                client = await self._welcome(reader, writer)
            if client is not None:
                await self._serve(client, reader)
        except (WireError, OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the connection ends, and the will tells it
        finally:
            self.connections.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _welcome(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Client | None:
        first = await wire.read_packet(reader)
        try:
            hello = wire.parse_connect(first)
        except WireError:
            writer.write(wire.packet(Type.CONNACK, bytes([0, WRONG_VERSION])))
            return None
        if len(self._clients) >= MAX_CLIENTS:
            return None
        client = Client(writer, hello)
        name = hello.client_id or f"client-{id(client)}"
        if name in self._clients:
            self._clients[name].drop()  # 3.1.4: the older one gives way
        self._clients[name] = client
        client.send(wire.packet(Type.CONNACK, b"\x00\x00"))
        return client

    async def _serve(self, client: Client, reader: asyncio.StreamReader) -> None:
        limit = client.hello.keepalive_s * 1.5 or None  # 3.1.2.10
        try:
            while True:
                async with asyncio.timeout(limit):
                    found = await wire.read_packet(reader)
                if found.type == Type.DISCONNECT:
                    client.will = None
                    return
                self._take(client, found)
        finally:
            self._leave(client)

    def _leave(self, client: Client) -> None:
        for text in client.filters:
            self._tree.remove(text, client)
        for name in [name for name, other in self._clients.items() if other is client]:
            del self._clients[name]
        if client.will is not None:
            self.publish(client.will)

    def _take(self, client: Client, found: Packet) -> None:
        match found.type:
            case Type.PUBLISH:
                message = wire.parse_publish(found)
                if message.qos:
                    client.send(wire.packet(Type.PUBACK, struct.pack(">H", message.packet_id)))
                self.publish(message)
            case Type.SUBSCRIBE:
                self._subscribe(client, found)
            case Type.UNSUBSCRIBE:
                number, filters = wire.parse_filters(found)
                for text, _ in filters:
                    client.filters.pop(text, None)
                    self._tree.remove(text, client)
                client.send(wire.packet(Type.UNSUBACK, struct.pack(">H", number)))
            case Type.PINGREQ:
                client.send(wire.packet(Type.PINGRESP))
            case Type.PUBACK:
                pass
            case _:
                msg = f"a packet of type {found.type}"
                raise WireError(msg)

    def _subscribe(self, client: Client, found: Packet) -> None:
        number, filters = wire.parse_filters(found)
        granted = bytearray()
        for text, qos in filters:
            if wrong_filter(text) or len(client.filters) >= MAX_FILTERS:
                granted.append(wire.REFUSED)
                continue
            granted.append(min(qos, 1))
            self._tree.remove(text, client)
            self._tree.add(text, client)
            client.filters[text] = min(qos, 1)
        client.send(wire.packet(Type.SUBACK, struct.pack(">H", number) + granted))
        for text, qos in filters:
            if text in client.filters:
                self._send_retained(client, text, min(qos, 1))

    def _send_retained(self, client: Client, text: str, qos: int) -> None:
        one: TopicTree[bool] = TopicTree()
        one.add(text, True)
        for topic, message in self._retained.items():
            if one.match(topic):
                client.deliver(message, qos)

    def publish(self, message: Publish) -> None:
        """Keep a message if it is to be retained, and give it to everybody who wants it."""
        if message.retain:
            if not message.payload:
                self._retained.pop(message.topic, None)
            elif message.topic in self._retained or len(self._retained) < MAX_RETAINED:
                self._retained[message.topic] = message
        for client in self._tree.match(message.topic):
            client.deliver(message._replace(retain=False), 1)


@asynccontextmanager
async def run_small_broker(port: int = 0, *, host: str = LOOPBACK) -> AsyncIterator[int]:
    """Run the broker; gives its port.

    Raises:
        OSError: the port is taken.

    """
    broker = SmallBroker()
    server = await asyncio.start_server(broker.serve, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(broker.connections):
            task.cancel()
        await asyncio.gather(*broker.connections, return_exceptions=True)
        await server.wait_closed()
