"""Reports of a device (COV) as one loop: subscribe, take reports, renew, see that it lives.

There are no tasks: reports arrive in a table with room for one reading a point, and are handed on
between two requests.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import repeat
from typing import Protocol

from components.bacnet import limits
from components.bacnet.cov import Book, Watched, increments_of, watched_of
from components.bacnet.local_device import LocalDevice, Report
from components.bacnet.messages import Ref
from components.bacnet.reading import Result, Results, doubtful, reading_of
from components.bacnet.settings import Point, Settings
from components.bacnet.values import value_of
from edge_runtime.driver import News
from edge_runtime.errors import DeviceError, DeviceRefusedError
from edge_runtime.model import Reading, Value

FAREWELL_S = 2.0
"""Longest time to cancel subscriptions when the device is closed."""
OBJECT_ROOM = 30
"""Bytes of an object with its present value and status flags in an answer."""


class Line(Protocol):
    """The device, as far as its reports need it."""

    settings: Settings

    async def fetch(self, refs: Sequence[Ref]) -> Results:
        """Read properties."""
        ...

    async def send(self, service: int, data: bytes) -> bytes:
        """Send a request."""
        ...

    async def local(self) -> LocalDevice:
        """Give the local device."""
        ...

    def next_process(self) -> int:
        """Give a process identifier of our own."""
        ...

    def is_from_device(self, report: Report) -> bool:
        """Tell whether a report comes from where the device is."""
        ...

    @property
    def room(self) -> int:
        """Longest answer."""
        ...

    @property
    def address(self) -> str:
        """Where the device is now."""
        ...

    def serves(self, service: int) -> bool:
        """Tell whether the device says that it has a service."""
        ...


class Changes:
    """The reports of one device."""

    def __init__(self, line: Line, points: Sequence[Point]) -> None:
        self._line = line
        self._points = points
        self._book = Book(line.settings)
        self._heard: dict[Ref, Results] = {}
        self._arrived = asyncio.Event()
        self._address = ""

    async def news(self, first: Sequence[Reading]) -> AsyncIterator[News]:
        """Report for ever; ``first`` are the present values.

        Raises:
            DeviceError: the device is lost.

        """
        loop = asyncio.get_running_loop()
        names = frozenset(point.name for point in self._points)
        yield News(readings=first, polled=names)
        await self._prepare(first, loop.time())
        if self._book.settled:
            yield self._polling()
        while True:
            turn = self._book.next_turn(loop.time())
            if turn is None:
                await self._wait(self._book.wait_s(loop.time()))
            elif turn.watched is None:
                yield await self._look()
            elif await self._subscribe(turn.watched) and self._book.settled:
                yield self._polling()
            if self._heard:
                yield News(readings=await self._take_heard())

    async def _prepare(self, first: Sequence[Reading], now: float) -> None:
        asked = [point for point in self._points if self._may_report(point)]
        processes = (self._line.next_process() for _ in repeat(None))
        watched = watched_of(asked, processes)
        values = {reading.point: reading.value for reading in first}
        for one in watched:
            one.last = values.get(one.names[0])
        self._book = Book(self._line.settings, watched)
        self._book.begin(now)
        found = await self._line.fetch(increments_of(watched))
        for one in watched:
            increment = _value(found.get(Ref(one.ref.object, limits.COV_INCREMENT)))
            if isinstance(increment, float):
                one.device_increment = increment
        self._address = self._line.address
        local = await self._line.local()
        for one in watched:
            local.reports[one.process] = self._take

    def _may_report(self, point: Point) -> bool:
        return point.cov is True or self._line.serves(limits.SUBSCRIBE_COV)

    async def _subscribe(self, watched: Watched) -> bool:
        """Subscribe or renew; tells whether that changed what must be polled."""
        was = watched.active
        request = self._book.subscription(watched)
        try:
            await self._line.send(request.service, request.begin())
        except DeviceRefusedError:
            self._book.was_refused(watched, asyncio.get_running_loop().time())
        else:
            self._book.accepted(watched, asyncio.get_running_loop().time())
        return was != watched.active or watched.refused

    def _polling(self) -> News:
        reported = {name for watched in self._book.active for name in watched.names}
        return News(polled={p.name for p in self._points if p.name not in reported})

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def _look(self) -> News:
        """Read some values: proof of life, and of reports that did not come."""
        book, loop = self._book, asyncio.get_running_loop()
        chosen = book.to_look_at(max(1, self._line.room // OBJECT_ROOM))
        refs = [r for w in chosen for r in dict.fromkeys((w.ref, _flags(w.ref)))]
        device = Ref((limits.DEVICE, limits.ANY_INSTANCE), limits.OBJECT_IDENTIFIER)
        found = await self._line.fetch(refs or [device])
        book.looked(loop.time())
        if self._line.address != self._address:  # it moved, and knows no subscription there
            self._address = self._line.address
            book.all_due(loop.time())
        readings = []
        for watched in chosen:
            value = _value(found.get(watched.ref))
            if watched.missed(value):
                book.set_due(watched, loop.time())
            if value != watched.last:
                readings += [reading_of(point, found) for point in watched.points]
                watched.last = value
        confirmed = {name for watched in book.active for name in watched.names}
        return News(readings=readings, confirmed=confirmed - {r.point for r in readings})

    # --- reports ----------------------------------------------------------------------------------

    def _take(self, report: Report) -> bool:
        """Take a report; False for one of a device or an object that we did not ask."""
        said = report.said
        watched = self._book.by_process(said.process)
        if watched is None or said.object != watched.ref.object:
            return False
        if not self._line.is_from_device(report):
            return False
        if watched.ref in said.values:
            watched.last = _value(said.values[watched.ref])
            self._heard[watched.ref] = dict(said.values)
            self._arrived.set()
        return True

    async def _take_heard(self) -> list[Reading]:
        """Make readings of what was reported; why a value is faulty is not in the report."""
        heard, self._heard = self._heard, {}
        self._arrived.clear()
        found = {ref: result for results in heard.values() for ref, result in results.items()}
        if unclear := doubtful(found):
            found |= await self._line.fetch(unclear)
        return [
            reading_of(point, found)
            for ref in heard
            for watched in self._book.of(ref)
            for point in watched.points
        ]

    async def close(self, *, lost: bool) -> None:
        """Take no more reports, and cancel what the device would send."""
        watched, self._book.watched = self._book.watched, ()
        if not watched:
            return
        local = await self._line.local()
        for one in watched:
            local.reports.pop(one.process, None)
        if not lost:
            await self._cancel([one for one in watched if one.active])

    async def _cancel(self, watched: Iterable[Watched]) -> None:
        try:
            async with asyncio.timeout(FAREWELL_S):
                for one in watched:
                    request = self._book.subscription(one)
                    await self._line.send(request.service, request.end())
        except (TimeoutError, DeviceError):
            return  # they end by themselves after their lifetime


def _flags(ref: Ref) -> Ref:
    return Ref(ref.object, limits.STATUS_FLAGS) if ref == Ref(ref.object) else ref


def _value(result: Result | None) -> Value | None:
    if not isinstance(result, list):
        return None
    try:
        return value_of(result)
    except ValueError:
        return None
