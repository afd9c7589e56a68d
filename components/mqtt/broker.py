"""One connection to one broker, shared by all devices with the same settings of it.

It opens with the first need and again after a loss, when a device asks for it: nothing here tries
by itself. A message goes to the devices whose filters match its topic, found in a tree once a
topic; what a device does with it must be quick, so that no device keeps another from hearing.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import aiomqtt
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from components.mqtt import limits
from components.mqtt.broker_settings import BrokerAddress, Will
from components.mqtt.client import Client, Message, new_client
from components.mqtt.errors import (
    ACL_HINT,
    BROKER_HINT,
    BrokerRefusedError,
    hint_of,
    mapped,
    reason_text,
)
from components.mqtt.topics import TopicTree
from edge_runtime.errors import DeviceUnreachableError

Listener = Callable[[Message], None]
"""Takes one message, quickly; must not raise."""


class Broker:
    """A connection that opens when it is needed and again when it was lost."""

    def __init__(self, address: BrokerAddress) -> None:
        self.address = address
        self.users = 0
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._failures = 0
        self._failure: DeviceUnreachableError | BrokerRefusedError | None = None
        self._tree: TopicTree[Listener] = TopicTree()
        self._routes: dict[str, tuple[Listener, ...]] = {}
        self._sessions = 0
        self._will: Will | None = None

    @property
    def session(self) -> int:
        """A number for the present connection; 0 while there is none."""
        return self._sessions if self._is_up() else 0

    def _is_up(self) -> bool:
        return self._client is not None and not self._client.lost.done()

    async def connect(self, timeout_s: float) -> int:
        """Give the number of the present connection; opens one where there is none.

        Raises:
            DeviceUnreachableError: nobody answers there.
            BrokerRefusedError: the broker does not want us.

        """
        failures = self._failures
        async with self._opening:
            if self._is_up():
                return self._sessions
            if self._failure is not None and self._failures != failures:
                # Somebody tried while we waited; trying again would make the others wait.
                raise type(self._failure)(str(self._failure), hint=self._failure.hint)
            await self._open(timeout_s)
        return self._sessions

    async def _open(self, timeout_s: float) -> None:
        await self._discard()
        address = self.address
        client_id = address.client_id or f"tidegate-{secrets.token_hex(6)}"
        will = address.will.at(time.time_ns() // 1_000_000) if address.will else None
        client: Client | None = None
        try:
            client = new_client(address, client_id, timeout_s, self._deliver, will)
            await _entered(client)
        except (aiomqtt.MqttError, OSError, ValueError) as exc:
            if client is not None:
                client.drop()
            trouble = (client.trouble if client else None) or exc
            error = mapped(trouble, address.at)
            assert isinstance(error, DeviceUnreachableError | BrokerRefusedError)
            self._failures, self._failure = self._failures + 1, error
            raise error from exc
        self._client = client
        self._sessions += 1
        self._will = will
        if will is not None:
            await self.publish(will.topic, will.alive.encode(), qos=1, retain=True)

    # --- hearing ----------------------------------------------------------------------------------

    async def subscribe(
        self, filters: Collection[str], qos: int, listener: Listener
    ) -> Mapping[str, int]:
        """Hear these filters; gives the broker's reason codes of those that it refused.

        The broker answers with the retained messages, also for a filter that was heard before.

        Raises:
            DeviceUnreachableError: the connection is lost.

        """
        refused: dict[str, int] = {}
        self.hear(filters, listener)
        wanted = list(filters)
        for start in range(0, len(wanted), limits.FILTERS_PER_REQUEST):
            asked = wanted[start : start + limits.FILTERS_PER_REQUEST]
            try:
                client = self._up()
                codes: Sequence[int | ReasonCode] = await client.subscribe(
                    [(text, qos) for text in asked]
                )
            except aiomqtt.MqttError as exc:
                raise await self._failed() from exc
            # A broker that answers for fewer filters has not granted the rest.
            answers = [*codes[: len(asked)], *[limits.REFUSED] * (len(asked) - len(codes))]
            for text, code in zip(asked, answers, strict=True):
                value = code.value if isinstance(code, ReasonCode) else int(code)
                if value >= limits.REFUSED:
                    refused[text] = value
        return refused

    def hear(self, filters: Collection[str], listener: Listener) -> None:
        """Route what matches these filters to a listener from now on."""
        for text in filters:
            self._tree.remove(text, listener)
            self._tree.add(text, listener)
        self._routes.clear()

    async def forget(
        self, filters: Collection[str], listener: Listener, *, tell: bool = True
    ) -> None:
        """Stop hearing for this listener; the broker is told (``tell``) what nobody wants now."""
        for text in filters:
            self._tree.remove(text, listener)
        self._routes.clear()
        unused = [text for text in filters if not self._tree.under(text)]
        if self._client is not None and self._is_up() and unused and tell:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._client.unsubscribe(unused)

    def _deliver(self, message: Message) -> None:
        listeners = self._routes.get(message.topic)
        if listeners is None:
            if len(self._routes) >= limits.MAX_CACHED_ROUTES:
                self._routes.clear()
            listeners = self._routes[message.topic] = self._tree.match(message.topic)
        for listener in listeners:
            listener(message)

    # --- saying -----------------------------------------------------------------------------------

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool = False,
        properties: Properties | None = None,
    ) -> int:
        """Publish; gives the broker's reason code, which says little with 3.1.1.

        Raises:
            DeviceUnreachableError: the connection is lost.
            BrokerRefusedError: the broker does not let us publish there (5.0 only).

        """
        try:
            client = self._up()
            code = await client.send(topic, payload, qos=qos, retain=retain, properties=properties)
        except aiomqtt.MqttError as exc:
            raise await self._failed() from exc
        if code >= limits.REFUSED:
            msg = f"{self.address.at} refused the publish to '{topic}': {reason_text(code)}"
            raise BrokerRefusedError(msg, hint=ACL_HINT)
        return code

    # --- losing and leaving -----------------------------------------------------------------------

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once the present connection is gone."""
        if self._client is not None:
            self._client.lost.add_done_callback(lambda _: tell())

    async def _failed(self) -> DeviceUnreachableError:
        """Give up a connection that does not do what it is told, and say so."""
        error = self.lost_error()
        await self._discard()
        return error

    def _up(self) -> Client:
        if self._client is None or not self._is_up():
            raise self.lost_error()
        return self._client

    def lost_error(self) -> DeviceUnreachableError:
        """Make the error of a connection that went away."""
        text, hint = f"{self.address.at}: the connection is lost", BROKER_HINT
        if self._client is not None and self._client.lost.done():
            exc = self._client.lost.exception()
            text = f"{text}: {exc}" if exc is not None else text
            hint = hint_of(exc) or hint
        return DeviceUnreachableError(text, hint=hint)

    async def _discard(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        if client.lost.done():
            client.lost.exception()  # it was told where it happened
        with contextlib.suppress(aiomqtt.MqttError):
            await client.__aexit__(None, None, None)
        client.drop()

    async def close(self) -> None:
        """Say goodbye; a last will of ours is said by hand, because a goodbye cancels it."""
        if self._will is not None and self._is_up():
            gone = self._will.gone.encode()
            with contextlib.suppress(DeviceUnreachableError, BrokerRefusedError):
                await self.publish(self._will.topic, gone, qos=1, retain=True)
        await self._discard()


async def _entered(client: Client) -> None:
    """Connect; cancelled in the middle, wait for the library's thread and close what it opened."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        with contextlib.suppress(aiomqtt.MqttError, OSError, ValueError):
            await entering
            await client.__aexit__(None, None, None)
        client.drop()
        raise


_open_brokers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[BrokerAddress, Broker]] = (
    WeakKeyDictionary()
)
"""Connections by event loop (held weakly, so that two tests never share) and settings."""


@asynccontextmanager
async def shared_broker(address: BrokerAddress) -> AsyncIterator[Broker]:
    """Share the connection to this broker with every other device of this event loop."""
    brokers = _open_brokers.setdefault(asyncio.get_running_loop(), {})
    broker = brokers.setdefault(address, Broker(address))
    broker.users += 1
    try:
        yield broker
    finally:
        broker.users -= 1
        if not broker.users:
            brokers.pop(address, None)
            await broker.close()
