"""Puts the machining centre on the wire with asyncua's server, and its faults at a caller's command.

    async with serve() as simulator:
        simulator.hang_up()                                 # session drop
        simulator.mark("Spindle.Load", "BadSensorFailure")  # a bad status, until unmark
        await simulator.forget_subscriptions()
        simulator.slow_s = 2.0
        await simulator.go(); await simulator.come_back()   # restart

asyncua's server is meant for trials and tests, not for the field; so is this one.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from asyncua import Server, ua
from asyncua.common.callback import CallbackType, ServerItemCallback
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.binary_server_asyncio import BinaryServer
from asyncua.server.user_managers import UserManager
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from components.opcua.certificate import make_certificate
from simulators.opcua.machine import MachiningCentre
from simulators.opcua.nodes import NAMESPACE, SHOWN, build, status

LOOPBACK = "127.0.0.1"
PORT = 4840
PATH = "/machine"
NAME = "Tidegate machining centre"
APPLICATION = f"{NAMESPACE}:server"
PEOPLE = {"operator": "cut-well"}
REFRESH_S = 0.2
MAX_STEP_S = 1.0
P = ua.SecurityPolicyType
OPEN = (P.NoSecurity,)
SECURED = (
    P.Basic256Sha256_Sign,
    P.Basic256Sha256_SignAndEncrypt,
    P.Aes256Sha256RsaPss_Sign,
    P.Aes256Sha256RsaPss_SignAndEncrypt,
)


class _People(UserManager):
    """Who may log in: anybody without a name, and those in ``PEOPLE`` with their password."""

    def get_user(
        self,
        iserver: Any,
        username: str | None = None,
        password: Any = None,
        certificate: Any = None,
    ) -> User | None:
        """Give the user, or None to refuse."""
        _ = iserver, certificate
        if username is not None:
            said = password if isinstance(password, bytes) else str(password).encode()
            if not compare_digest(PEOPLE.get(username, "").encode(), said):
                return None
        return User(role=UserRole.User, name=username)


class Simulator:
    """The server, the machine behind it, and the faults that it can show."""

    def __init__(self, server: Server, machine: MachiningCentre, host: str, port: int) -> None:
        self.server = server
        self.machine = machine
        self.host = host
        self.port = port
        self.certificate = b""
        self.trusted: Collection[str] | None = None
        """SHA-256 fingerprints of the clients that it trusts; None: all."""
        self.refused: list[str] = []
        """Fingerprints of the clients that it sent away."""
        self.slow_s = 0.0
        """How long it thinks before it answers a Read."""
        self.unreported: set[str] = set()
        """Paths of variables that it will not monitor, as if it had too many items already."""
        self.mute = False
        """New subscriptions are accepted and never report anything, not even that they live."""
        self.most_per_read = 0
        """Nodes that it takes in one Read, which it does not say; 0: any number."""
        self.frozen = False
        """Values stay as they are."""
        self._nodes: dict[str, Any] = {}
        self._marked: dict[str, int] = {}

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"opc.tcp://{self.host}:{self.port}{PATH}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 fingerprint of its certificate."""
        return sha256(self.certificate).hexdigest()

    def mark(self, path: str, name: str) -> None:
        """Give a variable a status, such as ``BadSensorFailure``, until it is unmarked."""
        self._marked[path] = getattr(ua.StatusCodes, name)

    def unmark(self, path: str) -> None:
        """Let a variable be good again."""
        self._marked.pop(path, None)

    async def show(self, path: str, value: Any) -> None:
        """Set a variable that clients may write, as the machine's own panel does."""
        node = self._nodes[path]
        kind = next(shown.type for shown in SHOWN if shown.path == path)
        await node.write_value(ua.DataValue(ua.Variant(value, kind)))

    def hang_up(self) -> None:
        """Close every connection without a word."""
        for transport in list(self.server.iserver.asyncio_transports):
            transport.abort()

    async def forget_subscriptions(self) -> None:
        """Drop every subscription and say nothing, as a server short of memory does."""
        service = self.server.iserver.subscription_service
        await service.delete_subscriptions(list(service.subscriptions))

    async def go(self) -> None:
        """Stop listening, hang up and forget sessions and subscriptions: a power cut."""
        listening, self.server.bserver = self.server.bserver, None
        await self.forget_subscriptions()
        self.hang_up()
        if listening is not None:
            await listening.stop()

    async def come_back(self) -> None:
        """Listen again on the same port."""
        server = self.server
        if server.bserver is None:
            server.bserver = BinaryServer(server.iserver, self.host, self.port, server.limits)
            server.bserver.set_policies(server._policies)  # noqa: SLF001 - asyncua has no restart
            await server.bserver.start()

    async def refresh(self) -> None:
        """Show what is true now."""
        now: Any = datetime.now(UTC)
        for shown in SHOWN:
            if shown.write and shown.path not in self._marked:
                continue  # it holds what clients wrote
            code = self._marked.get(shown.path, ua.StatusCodes.Good)
            value: Any = ua.DataValue(
                Value=ua.Variant(shown.get(self.machine), shown.type),
                StatusCode=status(code),
                SourceTimestamp=now,
            )
            node = self._nodes[shown.path]
            held: Any = self.server.iserver.aspace.read_attribute_value(
                node.nodeid, ua.AttributeIds.Value
            )
            if (held.Value.Value, held.StatusCode.value) != (value.Value.Value, code):
                await node.write_value(value)

    async def prepare(self) -> None:
        """Make the nodes."""
        self._nodes.update(await build(self.server, self.machine))

    async def take_writes(self) -> None:
        """Pass on what clients wrote since the last look."""
        for shown in SHOWN:
            if shown.write:
                data = self.server.iserver.aspace.read_attribute_value(
                    self._nodes[shown.path].nodeid, ua.AttributeIds.Value
                )
                if data.Value is not None and data.Value.Value is not None:
                    setattr(self.machine, shown.write, data.Value.Value)

    async def validate(self, certificate: x509.Certificate, _: ua.ApplicationDescription) -> None:
        """Refuse a client that is not trusted."""
        fingerprint = sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        if self.trusted is not None and fingerprint not in self.trusted:
            self.refused.append(fingerprint)
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

    def intervene(self) -> None:
        """Stand between the server and its new subscriptions."""
        service: Any = self.server.iserver.subscription_service
        create = service.create_subscription

        async def silent(*_: object) -> None:
            pass

        async def subscribe(parameters: Any, callback: Any, *rest: Any, **more: Any) -> Any:
            return await create(parameters, silent if self.mute else callback, *rest, **more)

        service.create_subscription = subscribe
        service.create_monitored_items = self.monitor

    async def monitor(
        self, parameters: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        """Monitor items, but not those that are ``unreported``."""
        service = self.server.iserver.subscription_service
        subscription = service.subscriptions.get(parameters.SubscriptionId)
        wanted = parameters.ItemsToCreate
        parameters.ItemsToCreate = [
            item for item in wanted if item.ItemToMonitor.NodeId.Identifier not in self.unreported
        ]
        if subscription is None:
            raise ServiceError(ua.StatusCodes.BadSubscriptionIdInvalid)
        made = iter(await subscription.monitored_item_srv.create_monitored_items(parameters))
        refusal = status(ua.StatusCodes.BadTooManyMonitoredItems)
        return [
            ua.MonitoredItemCreateResult(StatusCode=refusal)
            if item.ItemToMonitor.NodeId.Identifier in self.unreported
            else next(made)
            for item in wanted
        ]

    async def think(self, event: ServerItemCallback, _: object) -> None:
        """Take the time that it takes, and refuse what is too long."""
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if 0 < self.most_per_read < len(event.request_params.NodesToRead):
            raise ServiceError(ua.StatusCodes.BadTooManyOperations)


@asynccontextmanager
async def serve(
    *,
    host: str = LOOPBACK,
    port: int = 0,
    policies: Collection[ua.SecurityPolicyType] = (*OPEN, *SECURED),
    seed: int = 1,
    certificate: tuple[bytes, bytes] | None = None,
) -> AsyncIterator[Simulator]:
    """Serve a machining centre; port 0 for a free one, ``certificate`` (DER, key PEM) to keep one.

    Raises:
        OSError: the port is taken.

    """
    server = Server(user_manager=_People())
    server.disable_clock()
    server.product_uri, server.name = NAMESPACE, NAME
    server.manufacturer_name = "Tidegate"
    await server.init()
    await server.set_application_uri(APPLICATION)
    der, key = certificate or make_certificate(
        APPLICATION, datetime.now(UTC), name=NAME, server=True
    )
    await server.load_certificate(der)
    await server.load_private_key(key, format="pem")
    port = port or await _free_port(host)
    server.set_endpoint(f"opc.tcp://{host}:{port}{PATH}")
    server.set_security_policy(list(policies))
    simulator = Simulator(server, MachiningCentre(seed), host, port)
    simulator.certificate = der
    server.set_certificate_validator(simulator.validate)
    server.subscribe_server_callback(CallbackType.PreRead, simulator.think)
    simulator.intervene()
    await simulator.prepare()
    await server.start()
    living = asyncio.create_task(_live(simulator))
    try:
        yield simulator
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living
        simulator.hang_up()
        await server.stop()


async def _live(simulator: Simulator) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    while True:
        await asyncio.sleep(REFRESH_S)
        now = loop.time()
        await simulator.take_writes()
        if not simulator.frozen:
            left, before = now - before, now
            while left > 0:
                simulator.machine.advance(min(left, MAX_STEP_S))
                left -= MAX_STEP_S
        await simulator.refresh()


async def _free_port(host: str) -> int:
    probe = await asyncio.start_server(lambda _reader, writer: writer.close(), host, 0)
    async with probe:
        return int(probe.sockets[0].getsockname()[1])
