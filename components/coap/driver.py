"""CoAP over UDP: asks and observes the resources of a device, or takes what a device posts.

A device with ``host`` is asked: each resource once a read, whatever number of points lie in it, and
observed where it can be (:mod:`components.coap.watching`). A device with ``listen`` posts SenML,
JSON or plain values to the gateway (:mod:`components.coap.posting`). There is neither DTLS nor
OSCORE: CoAP belongs on a network of its own.

Source: RFC 7252, RFC 7641 (observe), RFC 7959 (blocks), RFC 8428 (SenML), RFC 6690 (links).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from components.coap.discover import discover
from components.coap.endpoint import shared_asker
from components.coap.errors import ErrorAnswerError, SilentError, WrongAnswerError
from components.coap.exchange import Requests
from components.coap.inbox import Inbox
from components.coap.listener import shared_listener
from components.coap.plan import describe
from components.coap.posting import PostingDevice
from components.coap.settings import Point, Settings, hostport
from components.coap.values import encode
from components.coap.watching import Hearing, Resource, Watch
from edge_runtime.driver import Driver, Inspection, News
from edge_runtime.model import Reading, Value

MAX_KNOWN = 64
"""Due sets whose resources are kept; points with own intervals make a few."""


class AskedDevice:
    """A device whose resources are read, observed and written."""

    def __init__(self, settings: Settings, requests: Requests) -> None:
        self._settings = settings
        self._requests = requests
        self._points = {point.name: point for point in settings.points}
        self._known: dict[frozenset[str], list[Resource]] = {}
        self._silent: set[str] = set()
        """Resources that did not answer last time: asked last, so that they hold up nobody."""

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Get each resource once.

        Raises:
            DeviceUnreachableError: the device does not answer.

        """
        return [inspection.reading for inspection in await self.inspect(points)]

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Get each resource once and show what came.

        Raises:
            DeviceUnreachableError: the device does not answer.

        """
        found: list[Inspection] = []
        answered, silences = False, 0
        resources = sorted(self._resources(points), key=lambda r: r.path in self._silent)
        for place, resource in enumerate(resources, 1):
            try:
                found += await self._get(resource)
            except SilentError:
                self._silent.add(resource.path)
                silences += 1
                if not answered and (silences > 1 or place == len(resources)):
                    raise
                shown = f"GET {resource.path}: no answer"
                found += [Inspection(reading, shown) for reading in resource.silent()]
            else:
                answered = True
                self._silent.discard(resource.path)
        return found

    async def _get(self, resource: Resource) -> list[Inspection]:
        try:
            answer = await self._requests.get(resource.path, resource.accept)
        except (ErrorAnswerError, WrongAnswerError) as exc:
            shown = f"GET {resource.path}: {exc.detail}"
            return [Inspection(reading, shown) for reading in resource.refused(exc)]
        payload = answer.payload
        named = "none" if payload.content_format is None else str(payload.content_format)
        shown = (
            f"GET {resource.path}: {answer.code}, content format {named}, "
            f"Max-Age {answer.max_age_s:g} s"
        )
        return [Inspection(reading, shown, payload.data) for reading in resource.newest(answer)]

    async def changes(self, points: Collection[str]) -> AsyncIterator[News]:
        """Observe what can be observed and report the rest as polled.

        Raises:
            DeviceUnreachableError: the device is lost.

        """
        resources = self._resources(points)
        inbox, hearing = Inbox(), Hearing(sum(resource.observed for resource in resources))
        tasks: list[asyncio.Task[None]] = []
        for resource in resources:
            if resource.observed:
                watch = Watch(resource, self._requests, self._settings.renew_after_s, hearing)
                task = asyncio.create_task(watch.run(inbox))
                task.add_done_callback(inbox.ended)
                tasks.append(task)
            else:
                inbox.poll(resource.names)
        try:
            while True:
                yield await inbox.news()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def write(self, point: str, value: Value) -> None:
        """Write one raw value.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused, or the point's format cannot hold the value.

        """
        target = self._points[point]
        payload = encode(self._settings, target, value)
        await self._requests.write(target.write_path or target.path, target.method, payload)

    def _resources(self, points: Collection[str]) -> list[Resource]:
        names = frozenset(points)
        if names not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[names] = self._grouped(points)
        return self._known[names]

    def _grouped(self, points: Collection[str]) -> list[Resource]:
        by_path: dict[str, list[Point]] = {}
        for name in points:
            by_path.setdefault(self._points[name].path, []).append(self._points[name])
        return [Resource(self._settings, path, found) for path, found in by_path.items()]


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[AskedDevice | PostingDevice]:
    """Open a device. Nothing is sent yet; a device that posts is listened to at once."""
    if settings.host:
        async with shared_asker() as asker:
            yield AskedDevice(settings, Requests(settings.at, settings.timeout_s, asker))
        return
    device = PostingDevice(settings)
    async with shared_listener(settings, device.take) as listener:
        device.listener = listener
        await device.listen_if_possible()
        yield device


def address(settings: Settings) -> str:
    """Give where the device is, for people."""
    return settings.at


def connection(settings: Settings) -> str:
    """Give the key of the host or port that the device shares with others."""
    return f"coap {hostport(settings.host or settings.listen, settings.port)}"


driver = Driver(
    protocol="coap",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
    discover=discover,
)
