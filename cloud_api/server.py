"""One process: the database if it is ours, the application, and two listeners on it.

HTTPS is for gateways, with a certificate of this cloud's own authority; HTTP on loopback is for the
dashboard, ``curl`` and a proxy in front. Both serve the same application.
"""

import asyncio
import contextlib
import json
import math
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from cloud_api.access.authority import SERVER_LIFETIME, Authority, pem_of, pem_of_key
from cloud_api.access.keyring import open_keyring
from cloud_api.app import create_app
from cloud_api.db.account import server_account
from cloud_api.db.embedded import embedded_server
from cloud_api.db.migrate import migrate
from cloud_api.db.pool import open_database
from cloud_api.db.private_file import make_private_folder, write_private
from cloud_api.errors import SettingsError
from cloud_api.settings import (
    AUTHORITY_FOLDER,
    DATABASE_FOLDER,
    STATUS_FILE,
    CloudSettings,
)

LOOPBACK = "127.0.0.1"
MAX_CONNECTIONS = 1_000
KEEP_ALIVE_S = 30
BACKLOG = 256
RENEW_CHECK_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Running:
    """Where a cloud that is ready can be reached; also in ``state_dir/cloud.json``."""

    pid: int
    https: str
    http: str
    database: str
    """``embedded`` or ``external``."""


class _Server(uvicorn.Server):
    """A listener that leaves signals to the process, which has two of them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    settings: CloudSettings, on_ready: Callable[[Running], None] = lambda _running: None
) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        CloudError: something cannot be started, or the embedded database ended by itself.

    """
    make_state_folder(settings.state_dir)
    stop = asyncio.Event()
    with _signals(stop), listening(settings) as (https, http):
        settings = settings.model_copy(
            update={"https_port": https.getsockname()[1], "http_port": http.getsockname()[1]}
        )
        async with running_database(settings) as (dsn, ended):
            await migrate(dsn)
            await _serve(settings, dsn, ended, (https, http), stop=stop, on_ready=on_ready)


async def _serve(
    settings: CloudSettings,
    dsn: str,
    ended: Callable[[], Awaitable[object]],
    sockets: tuple[socket.socket, socket.socket],
    *,
    stop: asyncio.Event,
    on_ready: Callable[[Running], None],
) -> None:
    keyring = open_keyring(settings.state_dir / AUTHORITY_FOLDER, datetime.now(UTC))
    async with open_database(dsn) as database:
        app = create_app(settings, database, keyring)
        async with app.router.lifespan_context(app):
            https = _Server(_https_config(app, settings, keyring.authority))
            http = _Server(_http_config(app, settings))
            async with asyncio.TaskGroup() as group:
                listeners = [
                    group.create_task(server.serve([own]))
                    for server, own in zip((https, http), sockets, strict=True)
                ]
                chores = [
                    group.create_task(_watch(ended)),
                    group.create_task(_renew(https.config, settings, keyring.authority)),
                ]
                await _started(https, http)
                with _status_file(settings) as running:
                    on_ready(running)
                    await stop.wait()
                    app.state.stopping.set()
                    https.should_exit = http.should_exit = True
                    await asyncio.gather(*listeners)
                for chore in chores:
                    chore.cancel()


def make_state_folder(path: Path) -> None:
    """Make the state folder: private; searchable if the database runs under another account."""
    path.mkdir(parents=True, exist_ok=True, mode=0o711 if server_account() else 0o700)


@asynccontextmanager
async def running_database(
    settings: CloudSettings,
) -> AsyncIterator[tuple[str, Callable[[], Awaitable[object]]]]:
    """Give the owner's connection string, and a wait for the end of a server of our own."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value(), asyncio.Event().wait
        return
    async with embedded_server(settings.state_dir.absolute() / DATABASE_FOLDER) as server:
        yield server.dsn, server.ended


@contextmanager
def listening(settings: CloudSettings) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Open both listening sockets before anything else: a taken port is found at once.

    Raises:
        SettingsError: an address or port cannot be used.

    """
    with (
        _listen(settings.host, settings.https_port, "https_port") as https,
        _listen(LOOPBACK, settings.http_port, "http_port") as http,
    ):
        yield https, http


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise SettingsError(
            f"cannot listen on {host} port {port}: {exc.strerror}",
            hint=f"choose another {setting}, or stop what uses it",
        ) from exc
    return listener


def _config(app: FastAPI, settings: CloudSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=LOOPBACK,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.drain_s),
        backlog=BACKLOG,
    )


def _http_config(app: FastAPI, settings: CloudSettings) -> uvicorn.Config:
    config = _config(app, settings)
    config.load()
    return config


def _https_config(app: FastAPI, settings: CloudSettings, authority: Authority) -> uvicorn.Config:
    key, certificate = _certify(settings, authority)
    config = _config(app, settings)
    config.proxy_headers = False
    config.ssl_keyfile, config.ssl_certfile = str(key), str(certificate)
    config.load()
    return config


def _certify(settings: CloudSettings, authority: Authority) -> tuple[Path, Path]:
    """Make a new TLS key and certificate for the names of this cloud."""
    folder = settings.state_dir / AUTHORITY_FOLDER / "tls"
    make_private_folder(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    made = authority.sign_server(key.public_key(), settings.host_names, datetime.now(UTC))
    write_private(folder / "key.pem", pem_of_key(key))
    write_private(folder / "certificate.pem", pem_of(made) + authority.pem)
    return folder / "key.pem", folder / "certificate.pem"


async def _renew(config: uvicorn.Config, settings: CloudSettings, authority: Authority) -> None:
    """Put a new certificate in place after two thirds of its life, for connections from then on."""
    due = datetime.now(UTC) + SERVER_LIFETIME * 2 / 3
    while True:
        await asyncio.sleep(RENEW_CHECK_S)
        if datetime.now(UTC) > due and config.ssl is not None:
            key, certificate = _certify(settings, authority)
            config.ssl.load_cert_chain(certificate, key)
            due = datetime.now(UTC) + SERVER_LIFETIME * 2 / 3


async def _watch(ended: Callable[[], Awaitable[object]]) -> None:
    await ended()


async def _started(*servers: uvicorn.Server) -> None:
    while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.005)


@contextmanager
def _status_file(settings: CloudSettings) -> Iterator[Running]:
    """Tell the command line where this process is, for as long as it serves."""
    running = Running(
        pid=os.getpid(),
        https=settings.gateway_urls[0],
        http=settings.page_url,
        database="embedded" if settings.database_url is None else "external",
    )
    path = settings.state_dir / STATUS_FILE
    write_private(path, json.dumps(asdict(running)))
    try:
        yield running
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in numbers:
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)
