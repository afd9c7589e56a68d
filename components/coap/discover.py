"""Looks for CoAP devices: asks hosts, networks or the multicast group for their resources.

Each device says in ``/.well-known/core`` what it has (RFC 6690); each resource is then read once, and
what gives a value is proposed as a point with that value beside it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from components.coap import limits
from components.coap.endpoint import Asker, shared_asker
from components.coap.errors import ErrorAnswerError, WrongAnswerError
from components.coap.exchange import Answer, Requests
from components.coap.links import Link, LinksError, parse_links
from components.coap.multicast import who_is_there
from components.coap.proposals import Proposal, propose
from components.coap.settings import hostport
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceError, SettingsError

Host = tuple[str, int]
TARGET_HINT = "Write 10.0.0.7, 10.0.0.7:5683, 10.0.0.0/24, a host name or 224.0.1.187."
MAX_LEISURE_S = 60.0
WITHOUT_DTLS = "CoAP without DTLS: anybody on this network can read it and pretend to be it."


def targets_of(target: ScanTarget) -> list[Host]:
    """Read what people wrote, networks as all their hosts, up to the bound on requests.

    Raises:
        SettingsError: it is no target.

    """
    hosts: dict[Host, None] = {}
    for text in target.targets:
        for host in _hosts(text.strip()):
            if len(hosts) >= target.max_requests:
                break
            hosts[host] = None
    return list(hosts)


def _hosts(text: str) -> Iterator[Host]:
    text = text.removeprefix("coap://").rstrip("/") if "://" in text else text
    try:
        if "/" in text:
            yield from ((str(host), limits.PORT) for host in ip_network(text, strict=False).hosts())
            return
        host, port = _split(text)
    except ValueError as exc:
        msg = f"'{text}' is no place to look for CoAP devices: {exc}"
        raise SettingsError(msg, hint=TARGET_HINT) from exc
    yield host, port


def _split(text: str) -> Host:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if not host or any(c.isspace() for c in host):
        msg = "a host is missing"
        raise ValueError(msg)
    number = int(port) if port else limits.PORT
    if not 0 < number < 65_536:  # noqa: PLR2004 - ports are 16 bits
        msg = f"{number} is no port"
        raise ValueError(msg)
    return host, number


def _leisure_s(target: ScanTarget) -> float:
    text = target.options.get("leisure", "")
    try:
        leisure_s = float(text or limits.LEISURE_S)
    except ValueError:
        leisure_s = -1.0
    if not 0 < leisure_s <= MAX_LEISURE_S:
        msg = f"leisure '{text}' is no time in seconds up to {MAX_LEISURE_S:g}"
        raise SettingsError(msg, hint="It says how long answers to a multicast are waited for.")
    return leisure_s


def _is_group(host: str) -> bool:
    try:
        return ip_address(host).is_multicast
    except ValueError:
        return False


class _Scan:
    """One scan: what it may still send, and how far it is."""

    def __init__(self, target: ScanTarget, asker: Asker) -> None:
        self._target = target
        self._asker = asker
        self.sent = 0
        self.done = 0
        self.total = 0

    @property
    def is_over(self) -> bool:
        """Whether it has sent all it may."""
        return self.sent >= self._target.max_requests

    def progress(self, doing: str) -> Progress:
        """Say how far it is."""
        return Progress(self.done, self.total, doing, self.sent)

    def requests(self, host: Host) -> Requests:
        """Ask a host."""
        return Requests(hostport(*host), self._target.timeout_s, self._asker)

    async def get(self, requests: Requests, path: str) -> Answer | None:
        """Get a resource, if there is one; None also when all was sent that may be."""
        if self.is_over:
            return None
        self.sent += 1
        if self._target.pause_s:
            await asyncio.sleep(self._target.pause_s)
        try:
            return await requests.get(path)
        except (ErrorAnswerError, WrongAnswerError):
            return None

    async def members(self, group: Host) -> list[Host]:
        """Ask a multicast group."""
        self.sent += 1
        try:
            return await who_is_there(*group, _leisure_s(self._target))
        except OSError as exc:
            msg = f"cannot send to {hostport(*group)}: {exc.strerror or exc}"
            raise SettingsError(msg, hint="Name the devices or their network instead.") from exc


async def discover(target: ScanTarget) -> AsyncIterator[Progress | Found]:
    """Look for devices.

    Raises:
        SettingsError: a target is none.

    """
    hosts = targets_of(target)
    async with shared_asker() as asker:
        scan = _Scan(target, asker)
        for group in [host for host in hosts if _is_group(host[0])]:
            yield scan.progress(f"everybody at {hostport(*group)}")
            hosts.remove(group)
            hosts += [host for host in await scan.members(group) if host not in hosts]
        scan.total = len(hosts)
        for host in hosts:
            if scan.is_over:
                break
            yield scan.progress(hostport(*host))
            found = await _look_at(scan, host)
            scan.done += 1
            if found is not None:
                yield found
        yield scan.progress("done" if not scan.is_over else "all requests are used up")


async def _look_at(scan: _Scan, host: Host) -> Found | None:
    requests = scan.requests(host)
    notes = [WITHOUT_DTLS]
    links: tuple[Link, ...] = ()
    try:
        answer = await scan.get(requests, limits.WELL_KNOWN)
        if answer is not None:
            links = parse_links(answer.payload.data)
        else:
            notes.append("It does not list its resources: name their paths by hand.")
    except LinksError as exc:
        notes.append(f"Its list of resources cannot be read: {exc}")
    except DeviceError:
        return None
    links = tuple(link for link in links if not link.path.startswith("/.well-known"))
    return _found(host, links, await _values(scan, requests, links, notes), notes)


async def _values(
    scan: _Scan, requests: Requests, links: tuple[Link, ...], notes: list[str]
) -> list[Proposal]:
    """Read every resource once; two that do not answer end it."""
    proposals: list[Proposal] = []
    taken: set[str] = set()
    silences = 0
    for link in links:
        try:
            answer = await scan.get(requests, link.path)
        except DeviceError:
            silences += 1
            notes.append(f"{link.path} did not answer.")
            if silences > 1:
                break
        else:
            proposals += propose(link, answer, taken) if answer is not None else []
    return proposals


def _found(
    host: Host, links: tuple[Link, ...], proposals: list[Proposal], notes: list[str]
) -> Found:
    unread = len(links) - len({proposal.point["path"] for proposal in proposals})
    if unread > 0:
        notes.append(f"{unread} more resources give no value that a point can hold.")
    settings: dict[str, Any] = {"protocol": "coap", "host": host[0], "port": host[1]}
    return Found(
        protocol="coap",
        address=hostport(*host),
        identity=next((one.identity for one in proposals if one.identity), ""),
        title=f"CoAP device with {len(links)} resources",
        settings=settings,
        points=tuple(proposal.point for proposal in proposals),
        values=tuple(proposal.reading for proposal in proposals),
        notes=tuple(notes),
    )
