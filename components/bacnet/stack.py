"""One local BACnet device and its socket, shared by all devices of an event loop behind it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple
from weakref import WeakKeyDictionary

from bacpypes3.apdu import ConfirmedRequestPDU, ErrorRejectAbortNack, IAmRequest, WhoIsRequest
from bacpypes3.basetypes import Segmentation
from bacpypes3.pdu import Address, GlobalBroadcast, IPv4Address

from components.bacnet import limits
from components.bacnet.errors import (
    FIND_HINT,
    PORT_HINT,
    WIRING_HINT,
    DeviceSilentError,
    mapped,
)
from components.bacnet.local_device import LocalDevice, Terms
from edge_runtime.errors import DeviceUnreachableError

MAX_FOUND = 10_000
"""Answers to one Who-Is that are kept."""
GRACE_S = 0.5
"""Beyond the time-outs of bacpypes3, for answers in many segments."""


class Key(NamedTuple):
    """Devices with the same key share a local device."""

    interface: str = ""
    port: int = 0
    instance: int = 4_190_000
    vendor_id: int = 0
    bbmd: str = ""
    ttl_s: int = 0


@dataclass(frozen=True, slots=True)
class Announced:
    """What a device said of itself in an I-Am."""

    instance: int
    address: Address
    max_apdu: int
    segments: bool
    vendor_id: int


@dataclass
class Stack:
    """A local device that opens when it is first needed."""

    key: Key
    users: int = 0
    requests: int = 0
    """Sent so far, for those who must count."""
    _local: LocalDevice | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _processes: Iterable[int] = field(default_factory=lambda: count(1))

    async def local(self) -> LocalDevice:
        """Open the socket, unless it is open.

        Raises:
            DeviceUnreachableError: the port is taken, or the address is not of this machine.

        """
        async with self._opening:
            if self._local is None:
                self._local = await self._open()
            return self._local

    async def _open(self) -> LocalDevice:
        key = self.key
        bbmd = await resolve(key.bbmd) if key.bbmd else None
        local = LocalDevice(key.instance, key.vendor_id, foreign=bbmd is not None)
        try:
            await local.open(key.interface, key.port)
        except OSError as exc:
            where = f"{key.interface or 'every address'}, port {key.port or 'any'}"
            msg = f"cannot listen on {where}: {exc.strerror or exc}"
            raise DeviceUnreachableError(msg, hint=PORT_HINT) from exc
        if bbmd is not None:
            local.register(bbmd, key.ttl_s)
        return local

    def next_process(self) -> int:
        """Give a process identifier that no other subscription of this local device has."""
        return next(iter(self._processes))

    async def ask(
        self, address: Address, service: int, data: bytes, terms: Terms, where: str
    ) -> bytes:
        """Send a confirmed request; gives the bytes of its answer, none for a simple one.

        Raises:
            DeviceError: no answer, or one that refuses.

        """
        local = await self.local()
        request = ConfirmedRequestPDU(service)
        request.pduDestination = address
        request.put_data(data)
        self.requests += 1
        limit_s = terms.wait_s * (terms.retries + 1) + GRACE_S
        try:
            async with asyncio.timeout(limit_s):
                answer = await local.ask(request, terms)
        except TimeoutError as exc:
            msg = f"{where} did not answer within {limit_s:g} s"
            raise DeviceSilentError(msg, hint=WIRING_HINT) from exc
        except ErrorRejectAbortNack as exc:
            raise mapped(exc, where) from exc
        return bytes(answer.pduData or b"")

    async def who_is(
        self,
        wait_s: float,
        *,
        low: int | None = None,
        high: int | None = None,
        to: Address | None = None,
    ) -> list[Announced]:
        """Ask who is there; a single instance or address ends the wait with its first answer.

        Raises:
            DeviceUnreachableError: the socket cannot be opened, or not for broadcasts.

        """
        local = await self.local()
        if to is None and not local.datagrams.broadcasts and not self.key.bbmd:
            msg = f"no broadcasts from {self.key.interface}: its network is not known"
            raise DeviceUnreachableError(msg, hint=FIND_HINT)
        found: dict[tuple[int, str], Announced] = {}
        enough = asyncio.Event()

        def hear(apdu: IAmRequest) -> None:
            announced = _announced(apdu)
            if announced is None or not (low or 0) <= announced.instance <= (
                limits.ANY_INSTANCE if high is None else high
            ):
                return
            if len(found) < MAX_FOUND:
                found[announced.instance, str(announced.address)] = announced
            if (low is not None and low == high) or announced.address == to:
                enough.set()

        request = WhoIsRequest(destination=to or GlobalBroadcast())
        if low is not None and high is not None:
            request.deviceInstanceRangeLowLimit = low
            request.deviceInstanceRangeHighLimit = high
        local.announced.add(hear)
        try:
            self.requests += 1
            local.request(request)
            async with asyncio.timeout(wait_s):
                await enough.wait()
        except TimeoutError:
            pass  # the wait is over, and what was found was found
        finally:
            local.announced.discard(hear)
        return list(found.values())

    @property
    def registration(self) -> str:
        """What is wrong with the registration at the BBMD; empty for nothing."""
        if self._local is None or not self.key.bbmd:
            return ""
        status = self._local.link.bbmdRegistrationStatus
        if status == 0:
            return ""
        return "did not answer" if status < 0 else f"refused the registration with code {status}"

    async def close(self) -> None:
        """Close; the next request opens again."""
        async with self._opening:
            local, self._local = self._local, None
            if local is not None:
                await local.close()


def _announced(apdu: IAmRequest) -> Announced | None:
    """Read an I-Am; None for one that says nonsense."""
    kind, instance = apdu.iAmDeviceIdentifier
    if int(kind) != limits.DEVICE or not 0 <= instance <= limits.MAX_INSTANCE:
        return None
    return Announced(
        instance=int(instance),
        address=apdu.pduSource,
        max_apdu=max(limits.APDU_SIZES[0], int(apdu.maxAPDULengthAccepted)),
        segments=apdu.segmentationSupported
        in {Segmentation.segmentedBoth, Segmentation.segmentedTransmit},
        vendor_id=int(apdu.vendorID),
    )


async def resolve(host: str) -> IPv4Address:
    """Look a ``host`` or ``host:port`` up.

    Raises:
        DeviceUnreachableError: there is no such name.

    """
    name, _, port = host.partition(":")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as exc:
        msg = f"no address for the name '{name}': {exc}"
        raise DeviceUnreachableError(msg, hint="Check the name, or give the address.") from exc
    return IPv4Address((found[0][4][0], int(port or limits.PORT)))


_stacks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, Stack]] = WeakKeyDictionary()
"""By event loop, so that two loops (two tests) never share; the last user closes the socket."""


@asynccontextmanager
async def shared_stack(key: Key) -> AsyncIterator[Stack]:
    """Share the local device with every other device of this event loop."""
    stacks = _stacks.setdefault(asyncio.get_running_loop(), {})
    stack = stacks.setdefault(key, Stack(key))
    stack.users += 1
    try:
        yield stack
    finally:
        stack.users -= 1
        if stack.users == 0:
            await stack.close()
        if stack.users == 0:  # nobody came meanwhile
            stacks.pop(key, None)
