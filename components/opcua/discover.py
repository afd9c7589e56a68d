"""Looks for OPC UA servers: their endpoints, and points with live values where they let us browse.

Options: ``user`` and ``password_file`` to log in, ``pki_dir`` for certificates, ``security_policy``
and ``security_mode`` to insist on, ``max_nodes`` and ``depth`` to bound the walk, ``browse=no``.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from asyncua import ua
from pydantic import ValidationError

from components.opcua.browse import Bounds, Walk
from components.opcua.client import MODES, POLICIES, make_client, shown
from components.opcua.errors import ServerUntrustedError, in_our_words
from components.opcua.limits import PORT
from components.opcua.proposing import propose
from components.opcua.session import Connector
from components.opcua.settings import SecurityPolicy, Settings
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceError, SettingsError

OPTIONS = ("user", "password_file", "pki_dir", "application_uri", "security_policy",
           "security_mode", "max_nodes", "depth", "browse")  # fmt: skip
LOGIN = ("user", "password_file", "pki_dir", "application_uri")
PROBE = {"name": "clock", "kind": "text", "node": "i=2258"}
"""Settings want a point: every server has its own time."""
ORDER = tuple(SecurityPolicy)
"""The best last."""
MAX_BOUND = 100_000
REQUESTS_TO_ASK = 3
"""Hello, channel and GetEndpoints."""


async def discover(target: ScanTarget) -> AsyncGenerator[Progress | Found, None]:
    """Look for servers.

    Raises:
        SettingsError: a target or an option cannot be used.

    """
    options = _checked(target.options)
    urls = list(_urls(target))
    requests = 0
    for place, url in enumerate(urls):
        yield Progress(place, len(urls), url, requests)
        if requests + REQUESTS_TO_ASK > target.max_requests:
            yield Progress(place, len(urls), "stopped: it has sent what it was allowed", requests)
            return
        requests += REQUESTS_TO_ASK
        settings = _settings(url, target, options, {"security_policy": "None"})
        try:
            async with in_our_words(url), asyncio.timeout(2 * target.timeout_s):
                endpoints = await make_client(settings).connect_and_get_server_endpoints()
        except DeviceError:
            continue
        finally:
            await asyncio.sleep(target.pause_s)
        if endpoints:
            visit = _Visit(url, endpoints, target, options, target.max_requests - requests)
            async for news in visit.run(place, len(urls)):
                yield news
            requests += visit.requests
    yield Progress(len(urls), len(urls), "done", requests)


class _Visit:
    """One server that answered."""

    def __init__(
        self,
        url: str,
        endpoints: Sequence[ua.EndpointDescription],
        target: ScanTarget,
        options: Mapping[str, str],
        allowed: int,
    ) -> None:
        self._url = url
        self._endpoints = endpoints
        self._target = target
        self._options = options
        self._allowed = allowed
        self.requests = 0

    async def run(self, place: int, total: int) -> AsyncGenerator[Progress | Found, None]:
        """Browse it where it lets us, and tell what was found."""
        chosen, notes = _best(self._endpoints, self._options)
        points: list[tuple[Mapping[str, Any], Any]] = []
        if chosen is not None and self._options.get("browse", "yes") == "yes":
            settings = _settings(self._url, self._target, self._options, chosen)
            connector = Connector(settings)
            try:
                async with connector.use() as session:
                    walk = Walk(session, self._bounds())
                    going = True
                    while going:
                        going = await walk.step()
                        self.requests = walk.requests
                        doing = f"{self._url}: {len(walk.variables)} variables"
                        yield Progress(place, total, doing, self.requests)
                    await walk.look()
                    self.requests = walk.requests
                    points = propose(list(walk.variables.values()), session.namespaces)
                    notes += [walk.cut] if walk.cut else []
            except ServerUntrustedError as exc:
                notes += [str(exc), exc.hint]
            except DeviceError as exc:
                notes += [f"could not be browsed: {exc}", *([exc.hint] if exc.hint else [])]
            finally:
                await connector.close()
        yield self._found(chosen, points, notes)

    def _bounds(self) -> Bounds:
        nodes, depth = self._options.get("max_nodes", "2000"), self._options.get("depth", "8")
        return Bounds(int(nodes), int(depth), max(1, self._allowed))

    def _found(
        self,
        chosen: Mapping[str, str] | None,
        points: Sequence[tuple[Mapping[str, Any], Any]],
        notes: Sequence[str],
    ) -> Found:
        server = self._endpoints[0].Server
        title = str(server.ApplicationName.Text or "")[:100]
        uri = str(server.ApplicationUri or "")[:200]
        login = {key: self._options[key] for key in LOGIN if key in self._options}
        return Found(
            protocol="opcua",
            address=self._url,
            identity=uri,
            title=f"{title or 'OPC UA server'} ({', '.join(_offers(self._endpoints))})",
            settings={"protocol": "opcua", "endpoint": self._url, **(chosen or {}), **login},
            points=tuple(fields for fields, _ in points),
            values=tuple(reading for _, reading in points),
            notes=tuple(notes),
        )


def _offers(endpoints: Sequence[ua.EndpointDescription]) -> list[str]:
    return sorted({shown(endpoint) for endpoint in endpoints})


def _best(
    endpoints: Sequence[ua.EndpointDescription], options: Mapping[str, str]
) -> tuple[dict[str, str] | None, list[str]]:
    """Choose the most secure endpoint that we speak and that fits the options."""
    names = {policy.URI: name for name, policy in POLICIES.items()}
    modes = {mode: name for name, mode in MODES.items()}
    usable = [
        (endpoint.SecurityMode.value, ORDER.index(policy), policy, endpoint.SecurityMode)
        for endpoint in endpoints
        if (policy := names.get(str(endpoint.SecurityPolicyUri))) and endpoint.SecurityMode in modes
    ]
    wanted = [
        (policy, modes[mode])
        for _, _, policy, mode in sorted(usable, key=lambda one: one[:2], reverse=True)
        if options.get("security_policy", policy) == policy
        and options.get("security_mode", modes[mode]) == modes[mode]
    ]
    if not wanted:
        return None, ["none of its endpoints can be used by this gateway, or fits the options"]
    policy, mode = wanted[0]
    notes = [] if mode else ["it offers no security: anybody on the network can read and write it"]
    return {"security_policy": policy.value} | (
        {"security_mode": mode.value} if mode else {}
    ), notes


def _settings(
    url: str, target: ScanTarget, options: Mapping[str, str], security: Mapping[str, str]
) -> Settings:
    fields: dict[str, Any] = {
        "name": "scan", "endpoint": url, "timeout_s": target.timeout_s, "points": [PROBE],
    }  # fmt: skip
    secure = security.get("security_policy") != "None"
    login = {key: options[key] for key in LOGIN if key in options} if secure else {}
    try:
        return Settings.model_validate(fields | dict(security) | login)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        msg = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise SettingsError(msg) from exc


def _checked(options: Mapping[str, str]) -> Mapping[str, str]:
    for key, value in options.items():
        if key not in OPTIONS:
            msg = f"unknown option '{key}'; known are {', '.join(OPTIONS)}"
            raise SettingsError(msg)
        if key in {"max_nodes", "depth"} and not (value.isdecimal() and 0 < int(value) < MAX_BOUND):
            msg = f"'{key}' must be a number from 1; found '{value}'"
            raise SettingsError(msg)
    return options


def _urls(target: ScanTarget) -> Iterator[str]:
    """Give the addresses to ask; a network is taken apart as far as the scan may go."""
    left = target.max_requests
    for text in target.targets:
        for url in _expanded(text):
            if left <= 0:
                return
            left -= 1
            yield url


def _expanded(text: str) -> Iterator[str]:
    if "/" in text and "//" not in text:
        try:
            network = ip_network(text, strict=False)
        except ValueError as exc:
            msg = f"'{text}' is no network; one looks like 10.0.0.0/24"
            raise SettingsError(msg) from exc
        yield from (f"opc.tcp://{host}:{PORT}" for host in network.hosts())
        return
    url = text if "//" in text else f"opc.tcp://{text}"
    parts = urlsplit(url)
    try:
        port = parts.port or PORT
    except ValueError:
        port = 0
    if parts.scheme != "opc.tcp" or not parts.hostname or not port:
        msg = f"'{text}' is no address of an OPC UA server; one looks like opc.tcp://10.0.0.9:4840"
        raise SettingsError(msg)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    yield f"opc.tcp://{host}:{port}{parts.path}"
