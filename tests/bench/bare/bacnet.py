"""bacpypes3 alone: present values by ReadPropertyMultiple or by change of value."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.local.device import DeviceObject
from bacpypes3.pdu import Address, IPv4Address
from bacpypes3.primitivedata import ObjectIdentifier

from simulators.site.processes import free_port

A_REQUEST = 20
LIFETIME_S = 300


async def run(asked: dict[str, Any], hear: Callable[[str], None]) -> None:
    """Read or subscribe until cancelled."""
    device = DeviceObject(
        objectIdentifier=("device", 4_000_000), objectName="bench", vendorIdentifier=999,
        maxApduLengthAccepted=1476, segmentationSupported="segmentedBoth",
    )  # fmt: skip
    application = NormalApplication(device, IPv4Address(f"127.0.0.1:{free_port()}"))
    try:
        async with asyncio.TaskGroup() as group:
            for number, port in enumerate(asked["ports"]):
                address = Address(f"127.0.0.1:{port}")
                names = [f"d{number}/t{i}" for i in range(1, asked["points_each"] + 1)]
                if asked["way"] == "rpm":
                    group.create_task(_poll(application, address, names, asked["every_s"], hear))
                else:
                    for place, name in enumerate(names, start=1):
                        group.create_task(_observe(application, address, place, name, hear))
    finally:
        application.close()


async def _poll(
    application: Any, address: Any, names: list[str], every_s: float, hear: Callable[[str], None]
) -> None:
    due = time.monotonic()
    while True:
        for first in range(0, len(names), A_REQUEST):
            asked: list[Any] = []
            for place in range(first, min(first + A_REQUEST, len(names))):
                identifier = ObjectIdentifier(("analog-input", place + 1))
                asked += [identifier, ["present-value", "status-flags"]]
            answer = await application.read_property_multiple(address, asked)
            for identifier, prop, _, _value in answer:
                if str(prop) == "present-value":
                    hear(names[int(identifier[1]) - 1])
        due += every_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _observe(
    application: Any, address: Any, place: int, name: str, hear: Callable[[str], None]
) -> None:
    identifier = ObjectIdentifier(("analog-input", place))
    async with application.change_of_value(
        address, identifier, None, False, LIFETIME_S
    ) as subscription:
        while True:
            prop, _value = await subscription.get_value()
            if str(prop) == "present-value":
                hear(name)
