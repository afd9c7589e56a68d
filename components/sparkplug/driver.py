"""Sparkplug B: hears edge nodes and their devices, and commands them, as a host application.

A point is a metric by its name. The birth of an edge node declares its metrics; from then on it
reports changes only, and the broker tells its death. So a metric that says nothing still holds as
long as its edge node and device live, and all points are lost with their death.

Source: Sparkplug 3.0 (Eclipse Foundation specification). Templates, data sets, arrays, files and
bytes are no single values: their points are bad.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from components.mqtt.broker import Broker, shared_broker
from components.mqtt.driver import GATHER_S
from components.mqtt.errors import CommandUnansweredError
from components.mqtt.memory import recall
from components.sparkplug.discover import discover
from components.sparkplug.metric import DataType, data_type, put_value
from components.sparkplug.node import Outcome
from components.sparkplug.plan import describe
from components.sparkplug.reports import Reports
from components.sparkplug.settings import Settings
from components.sparkplug.topic import Kind, SparkplugTopic
from components.sparkplug.watch import NodeWatch, new_payload, shared_watch
from edge_runtime.driver import Driver, Inspection, News
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Access, Quality, Reading, Reason, Value

LOOK_S = 5.0
"""Longest time between two looks at what has to be asked for or confirmed."""
CONFIRMS_PER_PROMISE = 3
DEAD_HINT = "Check the edge node's power and network, and what it is called: ids mind upper case."
TAKEN_HINT = "The device may have refused it, or the metric is read-only there."


class SparkplugDevice:
    """An edge node, or a device of one."""

    def __init__(self, settings: Settings, broker: Broker) -> None:
        self._settings = settings
        self._broker = broker
        self._points = {point.name: point for point in settings.points}
        self.reports = Reports(settings)
        self.watch: NodeWatch
        self._arrived = asyncio.Event()
        self._memory = recall(f"{settings.name} {settings.at}")
        self._session = 0
        self._joined_at = 0.0

    def observe(self, outcome: Outcome) -> None:
        """Take what a message of the edge node meant."""
        self.reports.take_in(outcome)
        self._arrived.set()

    # --- reports ----------------------------------------------------------------------------------

    async def changes(self, points: Collection[str]) -> AsyncIterator[News]:
        """Report births and changes for ever.

        Raises:
            DeviceUnreachableError: the broker is gone, or the edge node or device is dead.
            DeviceRefusedError: the broker refuses.

        """
        wanted = frozenset(points)
        self.reports.keep = True
        try:
            if not await self._join():
                self.reports.begin(self.watch.node)
            yield News(polled=())
            now = asyncio.get_running_loop().time
            confirm_at = now()
            while True:
                await self._something()
                if readings := self.reports.take(wanted):
                    yield News(readings)
                    await asyncio.sleep(GATHER_S)
                if now() >= confirm_at and self.alive and self.watch.whole:
                    await self.watch.prove(self._settings)  # a frozen broker says nothing of deaths
                    yield News(confirmed=[name for name in self.reports.heard if name in wanted])
                    confirm_at = now() + self._confirm_s()
        finally:
            self.reports.keep = False

    async def _something(self) -> None:
        """Wait for news, or until it is time to confirm.

        Raises:
            DeviceUnreachableError: the broker is gone, or the edge node or device is dead.

        """
        wait_s = self._confirm_s()
        if not self.alive:
            wait_s = min(wait_s, self._settings.timeout_s)
        try:
            async with asyncio.timeout(wait_s):
                while not (self.reports.waiting or self.watch.birth_is_due or self._is_missed()):
                    await self._next_arrival()
        except TimeoutError:
            pass
        self._check_session()
        await self.watch.ask_for_birth()
        await self._check_alive()

    def _confirm_s(self) -> float:
        promises = (self._settings.promised_s(point) for point in self._settings.points)
        return min(min(promises) / CONFIRMS_PER_PROMISE, LOOK_S)

    def _is_missed(self) -> bool:
        """Whether the device is known to be dead, or was not born in time."""
        if self.alive:
            return False
        waited_s = asyncio.get_running_loop().time() - self._joined_at
        return bool({"", self._settings.device_id} & self.watch.node.dead) or (
            waited_s >= self._settings.timeout_s
        )

    async def _check_alive(self) -> None:
        """Tell that the device is dead; once the runtime knows, wait for it a while before.

        Raises:
            DeviceUnreachableError: it is dead, or never was born.

        """
        if self.alive:
            self._memory.returned()
        elif self._is_missed() and (self._memory.tell() or not await self._returns()):
            raise self._missed()

    async def _returns(self) -> bool:
        """Wait as long as the runtime does without calling points stale."""
        promises = (self._settings.promised_s(point) for point in self._settings.points)
        try:
            async with asyncio.timeout(min(promises) / 2):
                while not self.alive:
                    await self._next_arrival()
        except TimeoutError:
            return False
        self._memory.returned()
        return True

    async def _next_arrival(self) -> None:
        self._check_session()
        self._arrived.clear()
        await self._arrived.wait()

    @property
    def alive(self) -> bool:
        """Whether the edge node was born, and the device as well."""
        return {"", self._settings.device_id} <= self.watch.node.sources.keys()

    def _missed(self) -> DeviceUnreachableError:
        dead = {"", self._settings.device_id} & self.watch.node.dead
        what = "is dead" if dead else "was not born: it does not answer a request for its birth"
        return DeviceUnreachableError(f"{self._settings.source} {what}", hint=DEAD_HINT)

    # --- the session ------------------------------------------------------------------------------

    async def _join(self) -> bool:
        """See to it that the edge node is watched; tells whether this device began just now."""
        await self.watch.join(self._settings)
        if self._session == self.watch.session:
            return False
        self._session = self.watch.session
        self._joined_at = asyncio.get_running_loop().time()
        self.reports.begin(self.watch.node)
        return True

    def _check_session(self) -> None:
        if not self._session or self._session != self.watch.session:
            raise self._broker.lost_error()

    # --- reading on demand ------------------------------------------------------------------------

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Give the newest value of each point, waiting up to ``timeout_s`` for a birth.

        Raises:
            DeviceUnreachableError: the broker is gone, or the edge node or device is dead.
            DeviceRefusedError: the broker refuses.

        """
        if not await self._join():
            await self.watch.prove(self._settings)
        await self.watch.ask_for_birth()
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                while not self.alive:
                    await self._next_arrival()
        except TimeoutError:
            raise self._missed() from None
        self._check_session()
        return [self.reports.heard.get(name) or _unheard(name) for name in points]

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Show data type and alias beside each reading.

        Raises:
            DeviceUnreachableError: as :meth:`read`.

        """
        return [
            Inspection(reading, self._shown(reading.point)) for reading in await self.read(points)
        ]

    def _shown(self, name: str) -> str:
        metric = self._points[name].metric
        source = self.watch.node.sources.get(self._settings.device_id)
        number = source.types.get(metric) if source is not None else None
        if source is None or number is None:
            return f"{self._settings.source} {metric}: not in the birth"
        kind = data_type(number)
        alias = source.aliases.get(metric)
        named = kind.name.lower() if kind is not None else f"data type {number}"
        by = f", alias {alias}" if alias is not None else ""
        return f"{self._settings.source} {metric} ({named}{by})"

    # --- commands ---------------------------------------------------------------------------------

    async def write(self, point: str, value: Value) -> None:
        """Command a metric and wait until the device reports the new value.

        Raises:
            DeviceUnreachableError: the broker is gone, the device is dead, or keeps its value.
            DeviceRefusedError: the point is not for writing, or the value does not fit.

        """
        found = self._points[point]
        if found.access is Access.READ:
            msg = f"'{point}' cannot be written: its access is 'read'"
            raise DeviceRefusedError(msg, hint="Say 'access: read_write' in the settings.")
        await self.read([point])
        source = self.watch.node.sources.get(self._settings.device_id)
        number = source.types.get(found.metric) if source is not None else None
        if source is None or number is None:
            msg = f"'{point}': the birth of {self._settings.source} has no metric '{found.metric}'"
            raise DeviceRefusedError(msg)
        payload = new_payload()
        metric = payload.metrics.add(name=found.metric.encode(), timestamp=payload.timestamp)
        put_value(metric, number, value)
        before, wanted = self.reports.heard[point], _as_reported(number, metric, value)
        await self._command(payload)
        if before.value != wanted or before.quality is not Quality.GOOD:
            await self._taken(point, wanted)  # an unchanged value would not be reported

    async def _command(self, payload: Any) -> None:
        settings = self._settings
        kind = Kind.DCMD if settings.device_id else Kind.NCMD
        topic = SparkplugTopic(settings.group_id, kind, settings.edge_node_id, settings.device_id)
        await self._broker.publish(str(topic), payload.SerializeToString(), qos=1)

    async def _taken(self, point: str, value: Value) -> None:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                while self.reports.heard[point].value != value:
                    await self._next_arrival()
        except TimeoutError as exc:
            msg = f"'{point}' did not become {value!r} within {self._settings.timeout_s:g} s"
            raise CommandUnansweredError(msg, hint=TAKEN_HINT) from exc


def _as_reported(number: int, metric: Any, value: Value) -> Value:
    """Give the value as the device will report it: a float of 32 bits is not what was asked for."""
    return float(metric.float_value) if number == DataType.FLOAT else value


def _unheard(name: str) -> Reading:
    return Reading(name, None, Quality.BAD, Reason.NO_ANSWER.value)


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[SparkplugDevice]:
    """Open a device. Nothing is sent yet: the connection opens with the first need."""
    async with shared_broker(settings.broker) as broker:
        device = SparkplugDevice(settings, broker)
        async with shared_watch(broker, settings, device.observe) as device.watch:
            yield device


def address(settings: Settings) -> str:
    """Give where the device is, for people."""
    return settings.at


def connection(settings: Settings) -> str:
    """Give the key of the connection that the device shares with others."""
    return f"sparkplug {settings.broker.at} {settings.client_id}".rstrip()


driver = Driver(
    protocol="sparkplug",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
    discover=discover,
)
