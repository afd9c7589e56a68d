"""MQTT: hears what devices publish through any broker (3.1.1 and 5.0), and sends them commands.

A point is a topic filter and, in JSON, CBOR and SenML, a place in the message. All devices with the
same broker settings share one connection (:mod:`components.mqtt.broker`); a message is decoded when
the runtime takes it, so that a flood costs what is read and not what is sent
(:mod:`components.mqtt.hearing`).

A broker that answers says nothing about the device behind it: only messages, and the device's own
``availability``, count as news.

Source: MQTT Version 3.1.1 and MQTT Version 5.0 (OASIS Standards).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from components.mqtt.broker import Broker, shared_broker
from components.mqtt.commands import check_answer, outgoing
from components.mqtt.decode import now_us
from components.mqtt.discover import discover
from components.mqtt.errors import (
    ACL_HINT,
    BrokerRefusedError,
    reason_detail,
    reason_text,
)
from components.mqtt.hearing import Hearing
from components.mqtt.memory import recall
from components.mqtt.plan import describe
from components.mqtt.sending import ask, publish_command
from components.mqtt.settings import Settings
from edge_runtime.driver import Driver, Inspection, News
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality, Reading, Reason, Value

GATHER_S = 0.02
"""Messages that follow each other faster are handed on together."""
CONFIRMS_PER_PROMISE = 3
AWAY_HINT = "The broker is there; the device, or its last will, says that the device is not."


class MqttDevice:
    """One device behind a broker."""

    def __init__(self, settings: Settings, broker: Broker) -> None:
        self._settings = settings
        self._broker = broker
        self._points = {point.name: point for point in settings.points}
        self._arrived = asyncio.Event()
        self.hearing = Hearing(settings, self._arrived.set, now_us)
        self._memory = recall(f"{settings.name} {settings.at}")
        self._session = 0
        self._refused: Mapping[str, int] = {}
        self._subscribing = asyncio.Lock()
        self._commanding = asyncio.Lock()

    # --- reports ----------------------------------------------------------------------------------

    async def changes(self, points: Collection[str]) -> AsyncIterator[News]:
        """Report messages for ever, beginning with what the broker had kept.

        Raises:
            DeviceUnreachableError: the broker is gone, or the device says that it is.
            DeviceRefusedError: the broker refuses all subscriptions.

        """
        wanted = frozenset(points)
        self.hearing.keep_news = True
        try:
            known = [] if await self._subscribed() else list(self.hearing.heard.values())
            present = [reading for reading in known if reading.point in wanted]
            yield News([*self._refusals(wanted), *present], polled=())
            now = asyncio.get_running_loop().time
            confirm_at = now()
            while True:
                await self._something()
                if readings := self.hearing.take_news(wanted):
                    yield News(readings)
                    await asyncio.sleep(GATHER_S)
                held = [name for name in self.hearing.held() if name in wanted]
                if held and now() >= confirm_at:
                    await self._prove(held)  # a frozen broker says nothing of last wills
                    yield News(confirmed=held)
                    confirm_at = now() + (self._confirm_s() or 0.0)
        finally:
            self.hearing.keep_news = False

    async def _something(self) -> None:
        """Wait for a message, or until it is time to confirm.

        Raises:
            DeviceUnreachableError: the broker is gone, or the device says that it is.

        """
        try:
            async with asyncio.timeout(self._confirm_s()):
                while not (self.hearing.waiting or self.hearing.away):
                    await self._next_arrival()
        except TimeoutError:
            pass
        self._check_session()
        await self._check_available()

    def _confirm_s(self) -> float | None:
        held = self.hearing.held()
        if not held:
            return None
        promises = (self._settings.promised_s(self._points[name]) for name in held)
        return min(promises) / CONFIRMS_PER_PROMISE

    async def _next_arrival(self) -> None:
        self._check_session()
        self._arrived.clear()
        await self._arrived.wait()

    def _check_session(self) -> None:
        if self._session != self._broker.session:
            raise self._broker.lost_error()

    async def _check_available(self) -> None:
        """Tell that the device is away; once the runtime knows, wait for it a while before.

        Raises:
            DeviceUnreachableError: the device says that it is away.

        """
        if not self.hearing.away:
            self._memory.returned()
            return
        if not self._memory.tell() and await self._returns():
            self._memory.returned()
            return
        raise self._away()

    async def _returns(self) -> bool:
        """Wait as long as the runtime does without calling points stale."""
        promises = (self._settings.promised_s(point) for point in self._settings.points)
        try:
            async with asyncio.timeout(min(promises) / 2):
                while self.hearing.away:
                    await self._next_arrival()
        except TimeoutError:
            return False
        return True

    def _away(self) -> DeviceUnreachableError:
        return DeviceUnreachableError(
            f"'{self._settings.name}' says that it is offline", hint=AWAY_HINT
        )

    # --- reading on demand ------------------------------------------------------------------------

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Give the newest value heard of each point, waiting up to ``timeout_s`` for a live one.

        Raises:
            DeviceUnreachableError: the broker is gone, or the device says that it is.
            DeviceRefusedError: the broker refuses all subscriptions.

        """
        if not await self._subscribed():
            await self._prove(points)
        refused = {reading.point: reading for reading in self._refusals(points)}
        awaited = {name for name in points if name not in refused}
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                while True:
                    self.hearing.decode()
                    if self.hearing.away or self.hearing.has_live(awaited):
                        break
                    await self._next_arrival()
        except TimeoutError:
            pass
        self._check_session()
        if self.hearing.away:
            raise self._away()
        found = {**self.hearing.heard, **refused}
        return [found.get(name) or _unheard(name) for name in points]

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Show the newest message beside each reading.

        Raises:
            DeviceUnreachableError: as :meth:`read`.

        """
        return [self._inspection(reading) for reading in await self.read(points)]

    def _inspection(self, reading: Reading) -> Inspection:
        point = self._points[reading.point]
        message = self.hearing.messages.get(reading.point)
        if message is None:
            return Inspection(reading, f"{self.hearing.filter_of(point.name)}: nothing heard")
        place = point.json_path or point.record
        form = self._settings.format_of(point)
        shown = f"{message.topic} ({form}{' ' + place if place else ''})"
        return Inspection(
            reading, f"{shown} retained" if message.retained else shown, message.payload
        )

    # --- the session with the broker --------------------------------------------------------------

    async def _subscribed(self) -> bool:
        """See to it that there is a session; tells whether it is a new one."""
        async with self._subscribing:
            filters = self.hearing.all_filters
            self._broker.hear(filters, self.hearing.listen)
            if self._session and self._session == self._broker.session:
                return False
            self.hearing.begin()
            self._session = await self._broker.connect(self._settings.timeout_s)
            self._broker.when_lost(self._arrived.set)
            self._refused = await self._broker.subscribe(
                filters, self._settings.qos, self.hearing.listen
            )
            if len(self._refused) == len(filters):
                topic_filter, code = next(iter(self._refused.items()))
                msg = f"{self._broker.address.at} refused '{topic_filter}': {reason_text(code)}"
                raise BrokerRefusedError(msg, hint=ACL_HINT)
            return True

    async def _prove(self, points: Collection[str]) -> None:
        """Make sure that the broker is still there: it must answer a subscription."""
        filters = [text for text, names in self.hearing.filters.items() if set(names) & set(points)]
        await self._broker.subscribe(filters[:1], self._settings.qos, self.hearing.listen)

    def _refusals(self, points: Collection[str]) -> list[Reading]:
        served = self.hearing.served_by(self._refused)
        return [
            Reading(name, None, Quality.BAD, f"{Reason.DEVICE_ERROR}:{reason_detail(served[name])}")
            for name in points
            if name in served
        ]

    async def leave(self) -> None:
        """Stop hearing; the connection stays for the others."""
        await self._broker.forget(
            self.hearing.all_filters, self.hearing.listen, tell=self._broker.users > 1
        )

    # --- commands ---------------------------------------------------------------------------------

    async def write(self, point: str, value: Value) -> None:
        """Send a command and wait for the device's answer, where the settings say how it answers.

        Raises:
            DeviceUnreachableError: the broker is gone, or the device did not answer in time.
            DeviceRefusedError: the broker or the device refused, or the point takes no commands.

        """
        found = self._points[point]
        command = found.command
        if command is None:
            msg = f"'{point}' cannot be written: it has no 'command'"
            raise DeviceRefusedError(msg, hint="Say in the settings which topic takes commands.")
        sent = outgoing(found, command, value)
        await self._subscribed()
        if command.response_topic is None:
            await publish_command(self._broker, self._settings, command, sent)
            return
        async with self._commanding:
            message = await ask(self._broker, self._settings, command, sent)
        check_answer(found, command, message)


def _unheard(name: str) -> Reading:
    return Reading(name, None, Quality.BAD, Reason.NO_ANSWER.value)


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[MqttDevice]:
    """Open a device. Nothing is sent yet: the connection opens with the first need."""
    async with shared_broker(settings.broker) as broker:
        device = MqttDevice(settings, broker)
        try:
            yield device
        finally:
            await device.leave()


def address(settings: Settings) -> str:
    """Give where the device is, for people."""
    return settings.at


def connection(settings: Settings) -> str:
    """Give the key of the connection that the device shares with others."""
    return f"mqtt {settings.broker.at} {settings.client_id}".rstrip()


driver = Driver(
    protocol="mqtt",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
    discover=discover,
)
