"""BACnet/IP: reads, subscribes and writes the objects of building controllers.

A device is its instance, wherever its address is: it is looked for with Who-Is, and again when it
falls silent. Points are read with ReadPropertyMultiple in requests whose answers fit into one message
(:mod:`components.bacnet.plan`), changes are reported by the device itself where it can
(:mod:`components.bacnet.changes`). All devices share the gateway's own BACnet device and its socket
(:mod:`components.bacnet.stack`).

Source: ANSI/ASHRAE 135-2020 (ISO 16484-5), the clauses stand beside the code.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from components.bacnet import limits
from components.bacnet.changes import Changes
from components.bacnet.commanding import command, relinquish
from components.bacnet.discover import discover
from components.bacnet.local_device import LocalDevice, Report
from components.bacnet.locate import is_still_there, key_of, locate, terms_of
from components.bacnet.memory import Place, recall
from components.bacnet.messages import Ref
from components.bacnet.plan import describe, refs_for
from components.bacnet.reading import (
    Reader,
    Results,
    doubtful,
    flags_of,
    reading_of,
)
from components.bacnet.settings import Point, Settings, is_value, ref_of, shown
from components.bacnet.stack import Stack, shared_stack
from components.bacnet.values import kind_of
from components.bacnet.wire import DamagedError
from edge_runtime.driver import Driver, Inspection, News
from edge_runtime.errors import DeviceUnreachableError
from edge_runtime.model import Reading, Value

QUIET_S = 1.5
"""After so long without an answer another device may have the address, and would be read for this."""


class BacnetDevice:
    """One device."""

    def __init__(self, settings: Settings, stack: Stack) -> None:
        self.settings = settings
        self._stack = stack
        self._points = {point.name: point for point in settings.points}
        self._memory = recall(settings)
        self._changes: Changes | None = None
        self._lost = False

    # --- reading ----------------------------------------------------------------------------------

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Read these points; what the device refuses is bad, with its error's name as the reason.

        Raises:
            DeviceUnreachableError: the device is not found or does not answer.

        """
        wanted = [self._points[name] for name in points]
        results = await self._results(wanted)
        return [reading_of(point, results) for point in wanted]

    async def _results(self, points: Sequence[Point]) -> Results:
        learned = self._memory.learned
        results = dict(await self.fetch(refs_for(points, learned.without_flags)))
        for ref, result in results.items():
            if ref.property == limits.STATUS_FLAGS and flags_of(result) is None:
                learned.without_flags.add(ref.object)
        if unclear := doubtful(results):
            results |= await self.fetch(unclear)
        return results

    async def fetch(self, refs: Sequence[Ref]) -> Results:
        """Read properties.

        Raises:
            DeviceUnreachableError: the device is not found or does not answer.

        """
        if not refs:
            return {}
        place = await self._place()
        return await Reader(self.send, self._memory.learned, place.max_apdu).read(refs)

    async def send(self, service: int, data: bytes) -> bytes:
        """Send a request to where the device is.

        Raises:
            DeviceError: no answer, or one that refuses.

        """
        place = await self._place()
        where = f"{self.settings.at}, {limits.SERVICES[service]}"
        try:
            answer = await self._stack.ask(
                place.address, service, data, terms_of(self.settings), where
            )
        except DeviceUnreachableError:
            self._lost = True
            self._memory.place = None  # it may have moved
            raise
        self._lost = False
        self._memory.answered_at = asyncio.get_running_loop().time()
        return answer

    async def _place(self) -> Place:
        """Give where the device is; after a while of quiet it is asked whether it is still there."""
        memory, now = self._memory, asyncio.get_running_loop().time()
        place = memory.place
        if place is not None and now - memory.answered_at > QUIET_S:
            try:
                still_there = await is_still_there(self._stack, self.settings, place)
            except DeviceUnreachableError:
                self._lost, memory.place = True, None
                raise
            place = place if still_there else None
        if place is None:
            place = await locate(self._stack, self.settings)
        if place is not memory.place or now - memory.answered_at > QUIET_S:
            memory.place, memory.answered_at = place, now
        return place

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Read these points and show type, flags and bytes.

        Raises:
            DeviceUnreachableError: the device is not found or does not answer.

        """
        wanted = [self._points[name] for name in points]
        results = await self._results(wanted)
        return [_inspection(point, results) for point in wanted]

    # --- reports ----------------------------------------------------------------------------------

    async def changes(self, points: Collection[str]) -> AsyncIterator[News]:
        """Report changes of these points for ever.

        Raises:
            DeviceUnreachableError: the device is not found or does not answer any more.

        """
        first = await self.read(points)
        changes = self._changes = Changes(self, [self._points[name] for name in points])
        try:
            async for news in changes.news(first):
                yield news
        finally:
            await changes.close(lost=self._lost)

    async def local(self) -> LocalDevice:
        """Give the local device."""
        return await self._stack.local()

    def next_process(self) -> int:
        """Give a process identifier of our own."""
        return self._stack.next_process()

    def is_from_device(self, report: Report) -> bool:
        """Tell whether a report comes from where the device is."""
        place = self._memory.place
        return place is not None and report.source == place.address

    @property
    def room(self) -> int:
        """Longest answer."""
        place, learned = self._memory.place, self._memory.learned
        return min(place.max_apdu if place else limits.SAFE_APDU, learned.room or limits.MAX_APDU)

    @property
    def address(self) -> str:
        """Where the device is now; empty while it is not known."""
        return str(self._memory.place.address) if self._memory.place else ""

    def serves(self, service: int) -> bool:
        """Tell whether the device says that it has a service."""
        return self._memory.place is None or self._memory.place.serves(service)

    # --- writing ----------------------------------------------------------------------------------

    async def write(self, point: str, value: Value) -> None:
        """Write a raw value at the point's priority and see whether it took effect.

        ``relinquish`` takes it back, except from a point that holds text: there :meth:`relinquish`
        does.

        Raises:
            DeviceUnreachableError: the device is not found or does not answer.
            DeviceRefusedError: it refused, the value does not fit, or a higher priority overrules it.

        """
        await command(self, self._points[point], value)

    async def relinquish(self, point: str) -> None:
        """Take our value out of the point's priority array.

        Raises:
            DeviceUnreachableError: the device is not found or does not answer.
            DeviceRefusedError: it refused.

        """
        await relinquish(self, self._points[point])

    async def close(self) -> None:
        """Cancel what is still subscribed."""
        if self._changes is not None:
            await self._changes.close(lost=self._lost)


def _inspection(point: Point, results: Results) -> Inspection:
    result = results.get(ref_of(point))
    words, data = [shown(point)], b""
    if isinstance(result, list) and len(result) == 1:
        try:
            words.append(f"({kind_of(result).title})")
        except DamagedError:
            words.append("(not one simple value)")
        data = result[0].data
    flags = flags_of(results.get(Ref(ref_of(point).object, limits.STATUS_FLAGS)))
    if flags is not None and is_value(ref_of(point)):
        words.append("flags " + ("".join(str(flags >> bit & 1) for bit in range(4))))
    return Inspection(reading_of(point, results), " ".join(words), data)


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[BacnetDevice]:
    """Open a device. Nothing is sent yet: it is looked for with the first read."""
    async with shared_stack(key_of(settings)) as stack:
        device = BacnetDevice(settings, stack)
        try:
            yield device
        finally:
            await device.close()


def address(settings: Settings) -> str:
    """Give where the device is, for people."""
    return settings.at


def connection(settings: Settings) -> str:
    """Give the key of the line; each device answers on its own."""
    return f"bacnet {settings.at}"


driver = Driver(
    protocol="bacnet",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
    discover=discover,
)
