"""SunSpec: reads and writes the points of standard models of inverters, meters and batteries.

A device says itself which models it has and where they lie, so a point names a model and a field
and no address. The models are found with the first read (:mod:`components.sunspec.scanning`), then
read as registers by the Modbus driver, on the same lines, with what that knows about slow, silent
and refusing devices. Scale factors are read along with the values that they belong to.

Source: SunSpec Device Information Model Specification V1.1 (sunspec.org).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from components.modbus.driver import address, connection
from components.modbus.line import shared_line
from components.sunspec.device import SunSpecDevice
from components.sunspec.discover import discover
from components.sunspec.resolving import describe
from components.sunspec.settings import Settings
from edge_runtime.driver import Driver


@asynccontextmanager
async def open_device(settings: Settings) -> AsyncIterator[SunSpecDevice]:
    """Open a device. Nothing is sent yet: its models are found with the first read."""
    async with shared_line(settings.place, settings.unit) as line:
        yield SunSpecDevice(settings, line)


driver = Driver(
    protocol="sunspec",
    settings=Settings,
    open_device=open_device,
    plan=describe,
    address=address,
    connection=connection,
    discover=discover,
)
