"""HTTP: polls JSON resources of a device, or takes what a device posts.

A device with ``url`` is asked: one request a resource, however many points lie in it
(:mod:`components.http.plan`), over connections that all devices of one address share
(:mod:`components.http.client`). A device with ``listen`` posts JSON or SenML to ``/push/<name>``
with a token of its own (:mod:`components.http.endpoint`).

Source: RFC 9110 (HTTP), RFC 9535 (JSONPath), RFC 8428 (SenML).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from components.http.client import open_line, origin_of
from components.http.discover import discover
from components.http.plan import describe
from components.http.polled import PolledDevice
from components.http.posting import PostingDevice
from components.http.server import listen
from components.http.settings import Point, Settings
from edge_runtime.driver import Driver
from edge_runtime.model import Value


class WritablePolledDevice(PolledDevice):
    """A polled device with a point that says how it is written."""

    async def write(self, point: str, value: Value) -> None:
        """Send one value as the point's ``write`` says.

        Raises:
            DeviceUnreachableError: the device does not answer.
            DeviceRefusedError: it refused, or the point cannot be written.

        """
        await self._write(point, value)


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[PolledDevice | PostingDevice]:
    """Open a device. Nothing is sent and nothing listens before the first call."""
    if settings.listen is not None:
        async with listen(settings) as (listener, inbox):
            yield PostingDevice(settings, listener, inbox)
        return
    kind = WritablePolledDevice if any(map(_is_writable, settings.points)) else PolledDevice
    async with open_line(settings) as line:
        yield kind(settings, line)


def _is_writable(point: Point) -> bool:
    return point.write is not None


def address(settings: Settings) -> str:
    """Give where the device is, for people."""
    return settings.at


def connection(settings: Settings) -> str:
    """Give the key of the host, or of the address that is listened on."""
    if settings.url is None:
        return f"http listen {settings.listen}"
    return "http {1}:{2}".format(*origin_of(settings.url))


driver = Driver(
    protocol="http",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
    discover=discover,
)
