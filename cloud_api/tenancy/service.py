"""Adding tenants and people."""

from uuid import UUID, uuid4

from cloud_api.db.session import Database, Db
from cloud_api.errors import ConflictError, InvalidRequestError, NotFoundError
from cloud_api.tenancy import queries

MAX_NAME_CHARS = 100
MAX_EMAIL_CHARS = 254
"""RFC 5321, 4.5.3.1.3, less the angle brackets."""


async def add_tenant(database: Database, name: str) -> UUID:
    """Add a tenant and give its number.

    Raises:
        InvalidRequestError: the name is empty or too long.

    """
    tenant = uuid4()
    async with database.transaction(tenant) as db:
        await queries.add_tenant(db, tenant, checked_name(name))
    return tenant


async def add_person(db: Db, tenant: UUID, email: str, name: str, role: str) -> UUID:
    """Add a person to a tenant.

    Raises:
        InvalidRequestError: name or address cannot be right.
        ConflictError: the tenant knows this address already.

    """
    person = uuid4()
    address = normal_email(email)
    if not await queries.add_person(
        db, tenant, person, email=address, name=checked_name(name), role=role
    ):
        raise ConflictError(f"{address} is known to this tenant already")
    return person


async def find_person(db: Db, tenant: UUID, email: str) -> UUID:
    """Find a person by address.

    Raises:
        NotFoundError: the tenant knows no such person.

    """
    person = await queries.find_person(db, tenant, normal_email(email))
    if person is None:
        raise NotFoundError(f"nobody has the address {email}", hint="tidegate cloud person add")
    return person


async def set_password(db: Db, tenant: UUID, person: UUID, hashed: str) -> None:
    """Store a password's hash."""
    await queries.set_password(db, tenant, person, hashed)


async def tenant_name(db: Db, tenant: UUID) -> str:
    """Read the name of a tenant.

    Raises:
        NotFoundError: there is none.

    """
    name = await queries.read_tenant_name(db, tenant)
    if name is None:
        raise NotFoundError(f"there is no tenant {tenant}")
    return name


def normal_email(email: str) -> str:
    """Write an address the one way it is stored.

    Raises:
        InvalidRequestError: it is none.

    """
    address = email.strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or not domain or " " in address or len(address) > MAX_EMAIL_CHARS:
        raise InvalidRequestError("this is no e-mail address", hint="somebody@example.com")
    return address


def checked_name(name: str) -> str:
    """Give a name without blanks around it.

    Raises:
        InvalidRequestError: it is empty or too long.

    """
    plain = name.strip()
    if not 0 < len(plain) <= MAX_NAME_CHARS or not plain.isprintable():
        raise InvalidRequestError(f"a name has 1 to {MAX_NAME_CHARS} printable characters")
    return plain
