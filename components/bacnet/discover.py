"""Looks for devices: Who-Is within bounds, then the object list of each with names, units and values.

A target is an address (``10.0.0.7``, ``10.0.0.7:47809``), a network whose broadcast address is asked
(``10.0.0.0/24``), or ``broadcast`` for everybody in reach. Options: ``instances=1-100``, ``local`` (own
address with its network), ``local_port``, ``bbmd`` (``host:port``, register there first), ``objects``
(most objects of one device).
"""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from bacpypes3.pdu import Address, IPv4Address

from components.bacnet import limits
from components.bacnet.local_device import Terms
from components.bacnet.objects import Described, Questions, list_objects, propose
from components.bacnet.settings import checked_host
from components.bacnet.stack import Announced, Key, Stack, resolve, shared_stack
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceError, SettingsError

BROADCAST = "broadcast"
MAX_DEVICES = 1_000
MAX_OBJECTS = 500
MAX_NOTES = 5
OPTIONS = {"instances", "local", "local_port", "bbmd", "objects"}


@dataclass(frozen=True)
class Wanted:
    """A scan as it was asked for."""

    key: Key
    targets: tuple[str, ...]
    low: int | None
    high: int | None
    max_objects: int


@dataclass
class Budget:
    """Counts requests and holds the scan to its bounds."""

    target: ScanTarget
    requests: int = 0
    devices: list[Announced] = field(default_factory=list)

    @property
    def spent(self) -> bool:
        """Whether nothing more may be sent."""
        return self.requests >= self.target.max_requests

    async def take(self) -> bool:
        """Take one request out of the budget; False where there is none left."""
        if self.spent:
            return False
        self.requests += 1
        if self.target.pause_s:
            await asyncio.sleep(self.target.pause_s)
        return True


async def discover(target: ScanTarget) -> AsyncIterator[Progress | Found]:
    """Find devices and propose their points.

    Raises:
        SettingsError: a target or option is wrong.
        DeviceUnreachableError: the socket cannot be opened.

    """
    wanted = read_target(target)
    budget = Budget(target)
    async with shared_stack(wanted.key) as stack:
        for number, where in enumerate(wanted.targets):
            yield Progress(number, 0, f"Who-Is to {where}", budget.requests)
            if await budget.take():
                found = await stack.who_is(
                    target.timeout_s, low=wanted.low, high=wanted.high, to=await address_of(where)
                )
                budget.devices += [one for one in found if one not in budget.devices]
        devices = sorted(budget.devices, key=lambda a: (a.instance, str(a.address)))[:MAX_DEVICES]
        many = Counter(device.instance for device in devices)
        for number, device in enumerate(devices):
            doing = f"device {device.instance} at {device.address}"
            yield Progress(number, len(devices), doing, budget.requests)
            yield await _describe(stack, wanted, budget, device, twice=many[device.instance] > 1)
        doing = "ended: no more requests are allowed" if budget.spent else "done"
        yield Progress(len(devices), len(devices), doing, budget.requests)


def read_target(target: ScanTarget) -> Wanted:
    """Check targets and options; pure.

    Raises:
        SettingsError: one is wrong.

    """
    options = target.options
    if unknown := set(options) - OPTIONS:
        msg = f"unknown option '{min(unknown)}' for bacnet; there are: {', '.join(sorted(OPTIONS))}"
        raise SettingsError(msg)
    try:
        low, high = _range(options.get("instances", ""))
        local = options.get("local", "")
        if local:
            ipaddress.IPv4Interface(local)
        bbmd = checked_host(options["bbmd"]) if "bbmd" in options else ""
        alone = all(is_host(where) for where in target.targets) or bbmd
        port = int(options.get("local_port", 0 if alone and target.targets else limits.PORT))
        if not 0 <= port < 65_536:  # noqa: PLR2004 - ports
            msg = f"{port} is no port"
            raise ValueError(msg)
        objects = int(options.get("objects", MAX_OBJECTS))
        for where in target.targets:
            _check(where)
    except ValueError as exc:
        raise SettingsError(f"bacnet scan: {exc}", hint="See docs/protocols/bacnet.md.") from exc
    key = Key(local, port, bbmd=bbmd, ttl_s=60 if bbmd else 0)
    return Wanted(key, target.targets or (BROADCAST,), low, high, max(1, objects))


def is_host(where: str) -> bool:
    """Tell whether a target is one address."""
    return where != BROADCAST and "/" not in where


def _check(where: str) -> None:
    if where == BROADCAST:
        return
    if "/" in where:
        ipaddress.IPv4Network(where, strict=False)
    else:
        checked_host(where)


def _range(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    first, _, last = text.partition("-")
    low, high = int(first), int(last or first)
    if not 0 <= low <= high <= limits.MAX_INSTANCE:
        msg = f"instances '{text}' are no range within 0-{limits.MAX_INSTANCE}"
        raise ValueError(msg)
    return low, high


async def address_of(where: str) -> Address | None:
    """Give where Who-Is goes; None for a broadcast to everybody in reach."""
    if where == BROADCAST:
        return None
    if "/" in where:
        network = ipaddress.IPv4Network(where, strict=False)
        return IPv4Address((str(network.broadcast_address), limits.PORT))
    return await resolve(where)


async def _describe(
    stack: Stack, wanted: Wanted, budget: Budget, device: Announced, *, twice: bool
) -> Found:
    """Read what a device says of itself and of its objects."""
    terms = Terms(budget.target.timeout_s, 0)

    async def ask(service: int, data: bytes) -> bytes:
        where = f"device {device.instance} at {device.address}"
        return await stack.ask(device.address, service, data, terms, where)

    questions = Questions(ask, device.max_apdu, budget.take)
    notes = list(_notes(device, twice=twice))
    described = Described()
    try:
        described = await list_objects(questions, device.instance, wanted.max_objects)
        proposal = await propose(questions, described.objects)
        notes += proposal.notes
        points, values = proposal.points, proposal.values
    except DeviceError as exc:
        notes.append(f"its objects could not be read: {exc}")
        points, values = (), ()
    notes += described.notes
    title = " ".join(part for part in (described.vendor, described.model, described.name) if part)
    return Found(
        protocol="bacnet",
        address=str(device.address),
        identity="" if twice else str(device.instance),
        title=title or f"BACnet device {device.instance}",
        settings=_settings(wanted, device, described, twice=twice),
        points=points,
        values=values,
        notes=tuple(notes[:MAX_NOTES]),
    )


def _settings(
    wanted: Wanted, device: Announced, described: Described, *, twice: bool
) -> dict[str, object]:
    settings: dict[str, object] = {"protocol": "bacnet", "device_instance": device.instance}
    found_by_broadcast = not all(map(is_host, wanted.targets))
    if isinstance(device.address, IPv4Address) and (twice or not found_by_broadcast):
        settings["host"] = str(device.address)
    if wanted.key.interface:
        settings["local_address"] = wanted.key.interface
    if wanted.key.bbmd:
        settings["foreign"] = {"bbmd": wanted.key.bbmd, "ttl_s": wanted.key.ttl_s}
    names = {"vendor": described.vendor, "model": described.model}
    return settings | {name: text for name, text in names.items() if text}


def _notes(device: Announced, *, twice: bool) -> Sequence[str]:
    notes = []
    if twice:
        notes.append(
            f"two devices say that they are {device.instance}: change one of them, until then "
            "'host' tells them apart"
        )
    if not device.segments:
        notes.append(f"answers in one message of {device.max_apdu} bytes only")
    return notes
