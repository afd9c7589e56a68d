"""What an operator does to a running cloud from its own machine: tenants, people, sites, claims.

Works through the database and the state folder, so whoever may read those may do this.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from cloud_api.access import doors, passwords, people, queries
from cloud_api.access.authority import open_authority
from cloud_api.access.caller import Role
from cloud_api.access.enrolment import issue_claim
from cloud_api.db.cluster import read_access
from cloud_api.db.pool import PoolSizes, open_database, role_dsn
from cloud_api.db.roles import APP
from cloud_api.db.session import Database
from cloud_api.errors import ConflictError, InvalidRequestError, NotFoundError, NotReadyError
from cloud_api.registry import reading
from cloud_api.registry import service as registry
from cloud_api.settings import (
    AUTHORITY_FOLDER,
    DATABASE_FOLDER,
    STATUS_FILE,
    CloudSettings,
)
from cloud_api.tenancy import service as tenancy

if TYPE_CHECKING:
    from cloud_api.overview.schemas import GatewayView


@dataclass(frozen=True, slots=True)
class Made:
    """Something that was just made."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class SignInLink:
    """A link that signs in once. The token is behind ``#``, so no server's log sees it."""

    url: str = field(repr=False)
    email: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A claim for one gateway."""

    claim: str = field(repr=False)
    site: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TenantStatus:
    """A tenant and its gateways."""

    id: str
    name: str
    gateways: "list[GatewayView]"


@dataclass(frozen=True, slots=True)
class CloudStatus:
    """A running cloud."""

    https: str
    http: str
    tenants: list[TenantStatus]


@dataclass(frozen=True, slots=True)
class Office:
    """An operator at work: the database and the folder of a running cloud."""

    database: Database
    settings: CloudSettings
    now: datetime

    async def add_tenant(self, name: str) -> Made:
        """Add a tenant."""
        for known, tenant in (await self._tenants()).items():
            if tenant == name.strip():
                raise ConflictError(f"there is a tenant '{tenant}' already", hint=str(known))
        return Made(str(await tenancy.add_tenant(self.database, name)), name.strip())

    async def add_site(self, name: str, time_zone: str, tenant: str | None) -> Made:
        """Add a site to a tenant."""
        owner = await self.find_tenant(tenant)
        async with self.database.transaction(owner) as db:
            return Made(str(await registry.add_site(db, owner, name, time_zone)), name.strip())

    async def add_person(
        self, email: str, name: str, role: Role, password: str | None, tenant: str | None
    ) -> Made:
        """Add a person to a tenant, with a password or for sign-in links only."""
        owner = await self.find_tenant(tenant)
        hashed = await passwords.hash_password(_checked(password)) if password else None
        async with self.database.transaction(owner) as db:
            person = await tenancy.add_person(db, owner, email, name or email, role.value)
            if hashed is not None:
                await tenancy.set_password(db, owner, person, hashed)
        return Made(str(person), tenancy.normal_email(email))

    async def sign_in_link(self, email: str, tenant: str | None) -> SignInLink:
        """Make a link that signs a person in once, within the hour."""
        owner = await self.find_tenant(tenant)
        async with self.database.transaction(owner) as db:
            person = await tenancy.find_person(db, owner, email)
            token = await people.make_link(db, owner, person, self.now)
        url = f"{self.settings.page_url}/sign-in#token={token}"
        return SignInLink(url, tenancy.normal_email(email), self.now + people.LINK_LIFETIME)

    async def new_claim(self, site: str, valid_hours: int, tenant: str | None) -> NewClaim:
        """Make a claim for one new gateway at a site."""
        owner = await self.find_tenant(tenant)
        authority = open_authority(self.settings.state_dir / AUTHORITY_FOLDER, self.now)
        lifetime = timedelta(hours=valid_hours)
        async with self.database.transaction(owner) as db:
            place = await registry.find_site(db, owner, site)
            issued = await issue_claim(db, owner, place, authority, lifetime=lifetime, now=self.now)
        return NewClaim(str(issued.claim), site, self.settings.gateway_urls[0], issued.expires_at)

    async def set_gateway_status(self, gateway: str, status: str, tenant: str | None) -> Made:
        """Suspend a gateway, or let it in again; effective within a minute."""
        owner = await self.find_tenant(tenant)
        async with self.database.transaction(owner) as db:
            for row in await reading.gateways(db, owner):
                if gateway in {row.name, str(row.id)}:
                    await queries.set_gateway_status(db, owner, row.id, status)
                    return Made(str(row.id), row.name)
        raise NotFoundError(f"there is no gateway '{gateway}'", hint="tidegate cloud status")

    async def status(self) -> CloudStatus:
        """Show tenants and gateways."""
        from cloud_api.overview import service as overview  # noqa: PLC0415 - loads numpy

        tenants = []
        for tenant, name in (await self._tenants()).items():
            async with self.database.transaction(tenant) as db:
                gateways = await overview.gateways(db, tenant, None, self.now)
            tenants.append(TenantStatus(str(tenant), name, gateways))
        return CloudStatus(self.settings.gateway_urls[0], self.settings.page_url, tenants)

    async def find_tenant(self, wanted: str | None) -> UUID:
        """Find a tenant by name or number; the only one if none is named.

        Raises:
            NotFoundError: there is none, or not this one.
            InvalidRequestError: there are several and none is named.

        """
        tenants = await self._tenants()
        if not tenants:
            raise NotFoundError("there is no tenant yet", hint="tidegate cloud tenant add NAME")
        if wanted is None:
            if len(tenants) > 1:
                names = ", ".join(sorted(tenants.values()))
                raise InvalidRequestError(
                    f"there are several tenants: {names}", hint="name one with --tenant"
                )
            return next(iter(tenants))
        found = [key for key, name in tenants.items() if wanted in {name, str(key)}]
        if len(found) != 1:
            raise NotFoundError(f"there is no tenant '{wanted}', or several", hint="use its id")
        return found[0]

    async def _tenants(self) -> dict[UUID, str]:
        async with self.database.door() as db:
            numbers = await doors.tenant_ids(db)
        names = {}
        for number in numbers:
            async with self.database.transaction(number) as db:
                names[number] = await tenancy.tenant_name(db, number)
        return names


@asynccontextmanager
async def open_office(settings: CloudSettings) -> AsyncIterator[Office]:
    """Reach the cloud that runs on these settings.

    Raises:
        NotReadyError: it does not run.

    """
    dsn = owner_dsn(settings)
    try:
        async with await psycopg.AsyncConnection.connect(role_dsn(dsn, APP), connect_timeout=5):
            pass
    except psycopg.OperationalError as exc:
        raise NotReadyError(
            f"the cloud in {settings.state_dir} does not run",
            hint=f"tidegate cloud run --state-dir {settings.state_dir}",
        ) from exc
    async with open_database(dsn, PoolSizes(app=1, ingest=1)) as database:
        yield Office(database, as_running(settings), datetime.now(UTC))


def owner_dsn(settings: CloudSettings) -> str:
    """Give the owner's connection string of a cloud that runs, or did.

    Raises:
        NotReadyError: it was never started here.

    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    access = read_access(settings.state_dir.absolute() / DATABASE_FOLDER)
    if access is None:
        raise NotReadyError(
            f"no cloud was started in {settings.state_dir}",
            hint=f"tidegate cloud run --state-dir {settings.state_dir}",
        )
    return access.dsn()


def as_running(settings: CloudSettings) -> CloudSettings:
    """Take over the address and ports that the running process says it has."""
    try:
        running = json.loads((settings.state_dir / STATUS_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return settings
    https, http = urlsplit(running["https"]), urlsplit(running["http"])
    found = {"https_port": https.port, "http_port": http.port}
    return settings.model_copy(update={**found, "host_names": (str(https.hostname),)})


def read_password(file: Path) -> str:
    """Read a password from the first line of a file.

    Raises:
        InvalidRequestError: the file cannot be read, or the password is too short or too long.

    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidRequestError(f"{file} cannot be read") from exc
    return _checked(lines[0] if lines else "")


def _checked(password: str) -> str:
    low, high = passwords.MIN_PASSWORD_CHARS, passwords.MAX_PASSWORD_CHARS
    if not low <= len(password) <= high:
        raise InvalidRequestError(f"a password has {low} to {high} characters")
    return password
