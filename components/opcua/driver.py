"""OPC UA: reports and reads variables of a server, writes them, and calls its methods.

Nodes are named by their ids as text, with the URI of the namespace or its number. The server reports
changes itself (Part 4, 5.13 and 5.14); what it will not report is polled. The line is signed and
encrypted, and the server's certificate known, unless the settings say otherwise.

Source: OPC Unified Architecture, Parts 3 to 8 (opcfoundation.org).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.ua.ua_binary import variant_to_binary

from components.opcua.discover import discover
from components.opcua.limits import PORT
from components.opcua.methods import call_method
from components.opcua.session import Connector, Session
from components.opcua.settings import Point, Settings
from components.opcua.status import name_of
from components.opcua.subscription import NO_SUCH_NAMESPACE, Subscription
from components.opcua.values import bad, reading_of
from components.opcua.writing import write_point
from edge_runtime.driver import Driver, Inspection, News, RequestPlan
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Reading, Value

REQUEST_BYTES, ANSWER_BYTES = 24, 30
"""A node in a Read and in its answer, about; a node id of 16 characters and a Double."""
HEADER_BYTES = 150
LAN_BYTES_S = 1_000_000
EXCHANGE_S = 0.002


class OpcUaDevice:
    """One server."""

    def __init__(self, settings: Settings, connector: Connector) -> None:
        self._settings = settings
        self._connector = connector
        self._points = {point.name: point for point in settings.points}
        self._methods = {method.name: method for method in settings.methods}

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Read these points.

        Raises:
            DeviceUnreachableError: the server does not answer, or is not trusted.
            DeviceRefusedError: it refused the whole request.

        """
        async with self._connector.use() as session:
            pairs = await self._read(session, points)
        return [
            reading_of(point, found) if isinstance(found, ua.DataValue) else bad(point.name, found)
            for point, found in pairs
        ]

    async def changes(self, points: Collection[str]) -> AsyncGenerator[News, None]:
        """Report what the server reports.

        Raises:
            DeviceUnreachableError: the session is lost.

        """
        chosen = [self._points[name] for name in points]
        async with self._connector.use() as session:
            subscription = Subscription(session, self._settings, chosen)
            try:
                await subscription.start()
                yield News(polled=subscription.polled)
                while True:
                    yield await subscription.next()
            finally:
                await subscription.stop()

    async def write(self, point: str, value: Value) -> None:
        """Write one raw value, cast to the type of the node.

        Raises:
            DeviceUnreachableError: the server does not answer.
            DeviceRefusedError: it refused, or the node cannot be written, or not with this value.

        """
        async with self._connector.use() as session:
            await write_point(session, self._points[point], value)

    async def invoke(self, method: str, arguments: Sequence[Value]) -> Sequence[Value]:
        """Call a method of ``methods`` in the settings.

        Raises:
            DeviceUnreachableError: the server does not answer.
            DeviceRefusedError: there is no such method, arguments do not fit, or it was refused.

        """
        if method not in self._methods:
            msg = f"'{self._settings.name}' has no method '{method}'"
            raise DeviceRefusedError(msg, hint="Name it under 'methods' of the device.")
        async with self._connector.use() as session:
            return await call_method(session, self._methods[method], arguments)

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Read these points and show node, type, status and bytes.

        Raises:
            DeviceError: as for :meth:`read`.

        """
        async with self._connector.use() as session:
            return [_inspection(p, found) for p, found in await self._read(session, points)]

    async def _read(
        self, session: Session, points: Collection[str]
    ) -> list[tuple[Point, ua.DataValue | str]]:
        """Read points; gives what the server said, or why it was not asked."""
        nodes: dict[str, ua.NodeId] = {}
        for name in points:
            try:
                nodes[name] = session.node_id(self._points[name].node)
            except LookupError:  # the session has no such namespace
                continue
        values = dict(zip(nodes, await session.read_values(list(nodes.values())), strict=True))
        return [(self._points[name], values.get(name, NO_SUCH_NAMESPACE)) for name in points]


def _inspection(point: Point, found: ua.DataValue | str) -> Inspection:
    if isinstance(found, str):
        return Inspection(bad(point.name, found), point.node)
    held, code = found.Value, found.StatusCode.value if found.StatusCode is not None else 0
    kind = held.VariantType.name if held is not None else "no value"
    data = variant_to_binary(held)[1:] if held is not None and held.Value is not None else b""
    shown = f"{point.node} ({kind}{'[]' if held is not None and held.is_array else ''})"
    return Inspection(reading_of(point, found), f"{shown} {name_of(code)}", data)


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[OpcUaDevice]:
    """Open a device. Nothing is sent yet: the session begins with the first call."""
    connector = Connector(settings)
    try:
        yield OpcUaDevice(settings, connector)
    finally:
        await connector.close()


def plan(settings: Settings, points: Collection[str]) -> list[RequestPlan]:
    """Give the requests that read these points once; a subscription costs less."""
    names, size = list(points), settings.max_nodes_per_call
    plans = []
    for start in range(0, len(names), size):
        part = tuple(names[start : start + size])
        out = HEADER_BYTES + REQUEST_BYTES * len(part)
        back = HEADER_BYTES + ANSWER_BYTES * len(part)
        seconds = EXCHANGE_S + (out + back) / LAN_BYTES_S
        plans.append(RequestPlan(f"read {len(part)} nodes", part, out, back, seconds))
    return plans


def address(settings: Settings) -> str:
    """Give where the server is, for people."""
    return settings.endpoint


def connection(settings: Settings) -> str:
    """Give the key of the line that devices share: the server's host and port."""
    parts = urlsplit(settings.endpoint)
    return f"opcua {parts.hostname}:{parts.port or PORT}"


driver = Driver(
    protocol="opcua",
    settings=Settings,
    open_device=open_device,
    plan=plan,
    address=address,
    connection=connection,
    discover=discover,
)
