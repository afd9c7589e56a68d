"""One server an address, shared by all devices that post to it, inside the runtime's event loop."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from components.http import limits
from components.http.endpoint import Endpoint, Poster, digest
from components.http.inbox import Inbox
from components.http.secrets import MODE_HINT, read_secret
from components.http.settings import Settings
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError

BACKLOG = 128
GRACE_S = 1.0
"""What running requests are given when the last device leaves."""
LISTEN_HINT = (
    "Another program holds that port, or the address is not this machine's: see `ss -ltnp`."
)


class _Protocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for a head, and takes no more clients than it should."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        if len(self.connections) > limits.MAX_CONNECTIONS:
            transport.close()
            return
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a new head has its own time."""
        if self.timeout_keep_alive_task is not None:  # the first bytes after a whole answer
            self._wait_for_head()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer = self.loop.call_later(limits.HEAD_S, self._give_up)

    def _give_up(self) -> None:
        """Hang up on who has not sent a whole head by now."""
        # None before the first head, whatever uvicorn's annotation says.
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]
            self.transport.close()


Credentials = tuple[Path | None, Path | None]


@dataclass(slots=True)
class Listener:
    """One address and who posts to it."""

    address: tuple[str, int]
    credentials: Credentials
    endpoint: Endpoint = field(default_factory=Endpoint)
    users: int = 0
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    state: ServerState = field(default_factory=ServerState)
    """Open connections and requests that run."""
    server: asyncio.Server | None = None

    async def ensure(self) -> None:
        """Listen, if it does not yet.

        Raises:
            DeviceUnreachableError: the address cannot be taken.
            DeviceRefusedError: certificate or key cannot be used.

        """
        async with self.starting:
            if self.server is not None:
                return
            taken = _bind(self.address)
            try:
                config = self._config()
                config.load()
            except (OSError, ssl.SSLError, ValueError) as exc:
                taken.close()
                msg = f"'certificate_file' or 'key_file' cannot be used: {exc}"
                raise DeviceRefusedError(msg, hint="Both must be PEM and belong together.") from exc
            # Not uvicorn.Server: it takes over the process's signals, wakes ten times a second,
            # and would wait a minute for a handshake.
            self.server = await asyncio.get_running_loop().create_server(
                lambda: _Protocol(config, self.state, {}),
                sock=taken,
                backlog=BACKLOG,
                ssl=config.ssl,
                ssl_handshake_timeout=limits.HEAD_S if config.ssl else None,
            )

    def _config(self) -> uvicorn.Config:
        certificate, key = self.credentials
        return uvicorn.Config(
            self.endpoint,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=int(limits.HEAD_S),
            h11_max_incomplete_event_size=limits.MAX_HEAD_BYTES,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )

    async def close(self) -> None:
        """Stop listening, let running requests end, and hang up."""
        server, self.server = self.server, None
        if server is None:
            return
        server.close()
        for connection in list(self.state.connections):
            connection.shutdown()
        if running := list(self.state.tasks):
            _, late = await asyncio.wait(running, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for connection in list(self.state.connections):
            if connection.transport is not None:
                connection.transport.close()
        await server.wait_closed()


def _bind(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.setblocking(False)
    except (OSError, OverflowError) as exc:
        opened.close()
        msg = f"cannot listen on {host}:{port}: {getattr(exc, 'strerror', None) or exc}"
        raise DeviceUnreachableError(msg, hint=LISTEN_HINT) from exc
    return opened


_listeners: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], Listener]] = (
    WeakKeyDictionary()
)


@asynccontextmanager
async def listen(settings: Settings) -> AsyncIterator[tuple[Listener, Inbox]]:
    """Let a device post; gives the shared listener, not listening yet, and what the device posts.

    Raises:
        DeviceRefusedError: another device of this address has other certificates, or the token is bad.

    """
    listeners = _listeners.setdefault(asyncio.get_running_loop(), {})
    credentials = (settings.certificate_file, settings.key_file)
    address = settings.listen_at
    listener = listeners.setdefault(address, Listener(address, credentials))
    if listener.credentials != credentials:
        msg = f"devices that share {settings.listen} must name the same certificate and key"
        raise DeviceRefusedError(msg, hint="Give one of them another port.")
    poster = Poster(settings, _token(settings), Inbox())
    listener.users += 1
    listener.endpoint.posters.setdefault(settings.name, []).append(poster)
    try:
        yield listener, poster.inbox
    finally:
        posters = listener.endpoint.posters[settings.name]
        posters.remove(poster)
        if not posters:
            del listener.endpoint.posters[settings.name]
        listener.users -= 1
        if not listener.users:
            listeners.pop(address, None)
            await listener.close()


def _token(settings: Settings) -> bytes:
    token = read_secret(settings.token, settings.token_file) or ""
    if len(token) < limits.MIN_TOKEN:
        msg = f"{settings.name}: the token has fewer than {limits.MIN_TOKEN} characters"
        raise DeviceRefusedError(msg, hint=MODE_HINT)
    return digest(token)
