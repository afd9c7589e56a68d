"""A real PostgreSQL and a database for the session, the cloud's app on it, and tenants in it.

cluster         session: the embedded server with a migrated template database
database_dsn    the owner's connection string of a fresh database
database        pools on it (app and ingest roles)
keyring, cloud_settings
app             the application, its lifespan running
client          HTTP client on it without a credential (no streaming: use ``served``)
served          base URL of the same app behind a real uvicorn on loopback, for streams
add_tenant      await add_tenant("acme") -> Tenant, with a signed-in client's cookie
add_gateway     await add_gateway(tenant, "cellar-1") -> GatewayOf, with an access token
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from psycopg import sql
from psycopg.conninfo import make_conninfo

from cloud_api.access import people, queries
from cloud_api.access.authority import fingerprint, key_fingerprint
from cloud_api.access.caller import GatewayCaller
from cloud_api.access.keyring import Keyring, open_keyring
from cloud_api.app import create_app
from cloud_api.db.embedded import embedded_server
from cloud_api.db.migrate import migrate
from cloud_api.db.pool import PoolSizes, open_database
from cloud_api.db.session import Database
from cloud_api.registry import service as registry
from cloud_api.settings import CloudSettings
from cloud_api.tenancy import service as tenancy

TEMPLATE = "tidegate_template"
_CREATE = sql.SQL(f"CREATE DATABASE {{}} TEMPLATE {TEMPLATE} STRATEGY file_copy")
CSRF = {"Tidegate-CSRF": "1"}


@dataclass(frozen=True)
class Cluster:
    admin: str
    """The owner's connection string of a database that no test uses."""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        folder = tmp_path_factory.mktemp("cluster")
        server = runner.run(
            stack.enter_async_context(embedded_server(folder / "pg", throwaway=True))
        )
        try:
            with psycopg.connect(server.dsn, autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE {TEMPLATE} STRATEGY file_copy")
            runner.run(migrate(make_conninfo(server.dsn, dbname=TEMPLATE)))
            yield Cluster(server.dsn)
        finally:
            runner.run(stack.aclose())


@pytest.fixture(scope="session")
def database_dsn(cluster: Cluster) -> str:
    """One database for all tests: each has tenants of its own, and tenants do not meet."""
    name = "shared"
    with psycopg.connect(cluster.admin, autocommit=True) as admin:
        admin.execute(_CREATE.format(sql.Identifier(name)))
    return make_conninfo(cluster.admin, dbname=name)


@pytest.fixture
async def own_database_dsn(cluster: Cluster) -> AsyncIterator[str]:
    """Give a database that nobody else uses, for tests of the database itself."""
    name = f"own_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(cluster.admin, autocommit=True) as admin:
        await admin.execute(_CREATE.format(sql.Identifier(name)))
        yield make_conninfo(cluster.admin, dbname=name)
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with open_database(database_dsn, PoolSizes(app=4, ingest=2)) as opened:
        yield opened


@pytest.fixture
def cloud_settings(tmp_path: Path) -> CloudSettings:
    return CloudSettings(state_dir=tmp_path / "cloud", host_names=("localhost", "cloud.test"))


@pytest.fixture
def keyring(cloud_settings: CloudSettings) -> Keyring:
    return open_keyring(cloud_settings.state_dir / "authority", datetime.now(UTC))


@pytest.fixture
async def app(
    cloud_settings: CloudSettings, database: Database, keyring: Keyring
) -> AsyncIterator[FastAPI]:
    made = create_app(cloud_settings, database, keyring)
    async with made.router.lifespan_context(made):
        yield made


def _client(app: FastAPI, **more: Any) -> httpx.AsyncClient:  # noqa: TID251 - in-process
    return httpx.AsyncClient(  # noqa: TID251 - in-process: there is no line to pin TLS on
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", **more
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:  # noqa: TID251 - in-process
    async with _client(app) as http:
        yield http


@pytest.fixture
async def served(app: FastAPI) -> AsyncIterator[str]:
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.capture_signals = _no_signals  # type: ignore[method-assign]  # pytest handles them
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


class _no_signals:  # noqa: N801 - stands in for a context manager function
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True)
class Tenant:
    id: UUID
    name: str
    site: UUID
    person: UUID
    email: str
    cookie: str

    @property
    def headers(self) -> dict[str, str]:
        """What the dashboard sends: cookie and CSRF header."""
        return {"Cookie": f"tidegate_session={self.cookie}", **CSRF}


AddTenant = Callable[..., Awaitable[Tenant]]


@pytest.fixture
def add_tenant(database: Database) -> AddTenant:
    async def add(name: str = "acme", role: str = "admin") -> Tenant:
        now = datetime.now(UTC)
        tenant = await tenancy.add_tenant(database, name)
        email = f"{name}@example.com"
        async with database.transaction(tenant) as db:
            person = await tenancy.add_person(db, tenant, email, f"{name} person", role)
            site = await registry.add_site(db, tenant, f"{name} site", "Europe/Berlin")
            link = await people.make_link(db, tenant, person, now)
        session = await people.sign_in_by_link(database, link, timedelta(hours=1), now)
        return Tenant(tenant, name, site, person, email, session.token)

    return add


@dataclass(frozen=True)
class GatewayOf:
    id: UUID
    tenant: Tenant
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def caller(self) -> GatewayCaller:
        return GatewayCaller(tenant=self.tenant.id, gateway=self.id)


AddGateway = Callable[..., Awaitable[GatewayOf]]


def signing_request(key: Any, common_name: str = "anybody") -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())


@pytest.fixture
def add_gateway(database: Database, keyring: Keyring) -> AddGateway:
    async def add(tenant: Tenant, name: str = "cellar-1") -> GatewayOf:
        now = datetime.now(UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        gateway = uuid4()
        certificate = keyring.authority.sign_gateway(signing_request(key), gateway, now)
        credential = queries.Credential(
            gateway,
            key_fingerprint(key.public_key()),
            fingerprint(certificate),
            certificate.public_bytes(Encoding.DER),
            f"{certificate.serial_number:x}",
            certificate.not_valid_after_utc,
        )
        async with database.transaction(tenant.id) as db:
            await queries.add_gateway(
                db, tenant.id, tenant.site, credential, name=name, version="0.1.0", now=now
            )
        token, _ = keyring.issue_access_token(GatewayCaller(tenant.id, gateway), now)
        return GatewayOf(gateway, tenant, name, key, certificate, token)

    return add
