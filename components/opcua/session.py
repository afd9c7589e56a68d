"""One session with a server: made when it is needed, given up when it is lost.

asyncua can reconnect by itself; that is left off. It would hide an outage behind requests that wait,
where the runtime must see it: it turns points bad, logs it once, waits longer each time and opens
the device again. What the driver mends is a subscription inside a living session.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua
from asyncua.client.ua_session import UaSession

from components.opcua import limits
from components.opcua.certificate import OwnCertificate, own_certificate
from components.opcua.client import (
    FencedClient,
    certificate_of,
    make_client,
    now,
    require_trusted,
    secure,
    use_identity,
)
from components.opcua.errors import CAUGHT, UNTRUSTED, GatewayUntrustedError, in_our_words
from components.opcua.ids import node_id, standard
from components.opcua.nodeids import parse, resolve
from components.opcua.settings import Settings
from components.opcua.status import name_of
from edge_runtime.errors import DeviceError, DeviceUnreachableError

IDS = ua.ObjectIds
_PREFIX = "Server_ServerCapabilities_OperationLimits_"
_ASKED = (
    IDS.Server_NamespaceArray,
    getattr(IDS, f"{_PREFIX}MaxNodesPerRead"),
    getattr(IDS, f"{_PREFIX}MaxMonitoredItemsPerCall"),
    getattr(IDS, f"{_PREFIX}MaxNodesPerBrowse"),
)


@dataclass
class Session:
    """A living session and what the server said of itself in it."""

    client: FencedClient
    namespaces: Sequence[str]
    per_read: int
    """Most nodes in one Read; smaller when the server refused one as too long."""
    per_subscribe: int
    per_browse: int
    lost: bool = False
    on_loss: set[Callable[[], None]] = field(default_factory=set)
    nodes: dict[str, ua.NodeId] = field(default_factory=dict)

    @property
    def services(self) -> UaSession:
        """The services of the session."""
        return self.client.uaclient.session

    def lose(self) -> None:
        """Note that it is of no use any more."""
        self.lost = True
        for told in tuple(self.on_loss):
            told()

    def node_id(self, text: str) -> ua.NodeId:
        """Give a node's id in this session.

        Raises:
            LookupError: the server has no such namespace.

        """
        if text not in self.nodes:
            ref = parse(text)
            self.nodes[text] = node_id(ref.identifier, resolve(ref, self.namespaces))
        return self.nodes[text]

    async def read(self, nodes: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[ua.DataValue]:
        """Read attributes, in as many requests as the server's limit asks for."""
        found: list[ua.DataValue] = []
        while len(found) < len(nodes):
            part = nodes[len(found) : len(found) + self.per_read]
            parameters = ua.ReadParameters(
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                NodesToRead=[ua.ReadValueId(NodeId=node, AttributeId=what) for node, what in part],
            )
            try:
                values = await self.services.read(parameters)
            except (ua.uaerrors.BadTooManyOperations, ua.uaerrors.BadResponseTooLarge):
                if len(part) == 1:
                    raise
                self.per_read = len(part) // 2
                continue
            if len(values) != len(part):
                msg = f"{len(values)} values for {len(part)} nodes"
                raise ValueError(msg)
            found += values
        return found

    async def read_values(self, nodes: Sequence[ua.NodeId]) -> list[ua.DataValue]:
        """Read the values of nodes."""
        return await self.read([(node, ua.AttributeIds.Value) for node in nodes])


class Connector:
    """Keeps at most one session with a server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: Session | None = None
        self._own: OwnCertificate | None = None
        self._turns = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Session]:
        """Give the session; connect first where there is none.

        Raises:
            DeviceError: there is none to be had, or it was lost; nothing else comes out.

        """
        session = await self._get()
        try:
            async with in_our_words(self._settings.endpoint):
                yield session
        except DeviceUnreachableError:
            session.lose()
            raise

    async def close(self) -> None:
        """Log out; safe to call twice, and with a server that does not answer."""
        session, self._session = self._session, None
        if session is not None:
            session.lose()
            await _leave(session.client)

    async def _get(self) -> Session:
        async with self._turns:
            if self._session is not None and not self._session.lost:
                return self._session
            await self.close()
            async with in_our_words(self._settings.endpoint):
                self._session = await self._connect()
            return self._session

    async def _connect(self) -> Session:
        settings = self._settings
        async with asyncio.timeout(settings.timeout_s * limits.CONNECT_TIMEOUTS):
            client = make_client(settings)
            await use_identity(client, settings)
            if settings.mode is not None:
                await self._secure(client)
            most = settings.max_nodes_per_call
            session = Session(client, (), per_read=most, per_subscribe=most, per_browse=most)
            client.connection_lost_callback = _teller(session)
            try:
                await self._log_in(client)
                await _learn(session)
            except BaseException:
                await _leave(client)
                raise
            return session

    async def _secure(self, client: FencedClient) -> None:
        settings = self._settings
        if self._own is None:
            self._own = await asyncio.to_thread(
                own_certificate, settings.pki_dir, settings.application_uri, now()
            )
        endpoints = await make_client(settings).connect_and_get_server_endpoints()
        certificate = certificate_of(endpoints, settings)
        require_trusted(settings, certificate)
        await secure(client, settings, self._own, certificate)

    async def _log_in(self, client: FencedClient) -> None:
        """Open channel and session; a server that does not know us refuses in one of many ways."""
        try:
            await client.connect()
        except CAUGHT as exc:
            if self._own is not None and (said := _distrust(exc)):
                where = self._settings.endpoint
                raise GatewayUntrustedError(where, self._own.file, said) from exc
            raise


def _distrust(exc: BaseException) -> str:
    """Say in what words a server refused our certificate; empty where it was something else."""
    if isinstance(exc, ua.UaStatusCodeError):
        name = name_of(exc.code)
        return name if name in UNTRUSTED else ""
    if isinstance(exc, DeviceError | TimeoutError | ConnectionRefusedError):
        return ""
    hung_up = isinstance(exc, AssertionError | ConnectionError | AttributeError)
    return "it hung up without a word" if hung_up else ""


async def _learn(session: Session) -> None:
    """Read namespaces and limits."""
    array, *limits_ = await session.read_values([standard(number) for number in _ASKED])
    names = array.Value.Value if array.Value is not None else None
    if isinstance(names, list):
        session.namespaces = [str(name) for name in names[: limits.MAX_NAMESPACES]]
    told = [_limit(data) for data in limits_]
    for name, limit in zip(("per_read", "per_subscribe", "per_browse"), told, strict=True):
        if limit:
            setattr(session, name, min(limit, getattr(session, name)))


def _limit(data: ua.DataValue) -> int:
    """Give an operation limit; 0 for none."""
    value = data.Value.Value if data.Value is not None else None
    return value if isinstance(value, int) and value > 0 else 0


def _teller(session: Session) -> Callable[[Exception], Coroutine[Any, Any, None]]:
    async def lost(_: Exception) -> None:
        session.lose()

    return lost


async def _leave(client: FencedClient) -> None:
    """Log out for as long as that is any use, then hang up."""
    with suppress(*CAUGHT):
        async with asyncio.timeout(limits.CLOSE_S):
            await client.disconnect()
    client.disconnect_socket()
