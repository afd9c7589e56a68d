"""Sessions of people: in by a one-time link or a password, out again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from cloud_api.access import doors, passwords, queries
from cloud_api.access.caller import Caller
from cloud_api.access.opaque import MAX_TOKEN_CHARS, hash_token, new_token
from cloud_api.access.throttle import Throttle
from cloud_api.db.session import Database, Db, adopt
from cloud_api.errors import NotSignedInError, TooManyError

LINK_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SignInThrottles:
    """Tries to sign in: by address of the caller, and by the account that is tried."""

    by_address: Throttle = field(default_factory=lambda: Throttle(tries=30, refill_s=2.0))
    by_account: Throttle = field(default_factory=lambda: Throttle(tries=8, refill_s=15.0))

    def take(self, address: str, account: str, now: float) -> None:
        """Count a try.

        Raises:
            TooManyError: there were too many.

        """
        wait = max(
            self.by_address.take(address, now),
            self.by_account.take(account, now) if account else 0.0,
        )
        if wait > 0:
            raise TooManyError(
                "too many tries to sign in", headers={"Retry-After": str(int(wait) + 1)}
            )


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that just began, with the token that only the person's browser gets."""

    token: str = field(repr=False)
    caller: Caller


async def find_caller(database: Database, token: str, now: datetime) -> Caller:
    """Find who a session token belongs to.

    Raises:
        NotSignedInError: there is no such session, or it has expired.

    """
    caller = None
    if 0 < len(token) <= MAX_TOKEN_CHARS:
        secret = hash_token(token)
        async with database.door() as db:
            tenant = await doors.tenant_of_session(db, secret)
            if tenant is not None:
                await adopt(db, tenant)
                caller = await queries.read_caller(db, tenant, secret, now)
    if caller is None:
        raise NotSignedInError(hint="open a sign-in link, or sign in with e-mail and password")
    return caller


async def sign_in_by_link(
    database: Database, token: str, lifetime: timedelta, now: datetime
) -> NewSession:
    """Use up a sign-in link and begin a session.

    Raises:
        NotSignedInError: the link is wrong, used or expired; which of them is not told.

    """
    secret = hash_token(token)
    async with database.door() as db:
        tenant = await doors.tenant_of_sign_in_link(db, secret)
        if tenant is not None:
            await adopt(db, tenant)
            person = await queries.use_link(db, tenant, secret, now)
            if person is not None:
                return await _begin(db, tenant, person, lifetime, now)
    raise NotSignedInError(
        "this sign-in link does not work: it was used, or it is too old", hint="ask for a new one"
    )


async def sign_in_by_password(
    database: Database, email: str, password: str, *, lifetime: timedelta, now: datetime
) -> NewSession:
    """Check a password and begin a session.

    An unknown address costs the same work as a known one. An address that several tenants know is
    tried at each of them, and the first whose password fits is it.

    Raises:
        NotSignedInError: address or password are wrong; which of them is not told.

    """
    address = email.strip().lower()
    async with database.door() as db:
        tenants = await doors.tenants_of_email(db, address)
    if not tenants:
        await passwords.matches(None, password)
    for tenant in tenants:
        async with database.transaction(tenant) as db:
            account = await queries.read_password(db, tenant, address)
        person, stored = account or (None, None)
        if await passwords.matches(stored, password) and person is not None:
            async with database.transaction(tenant) as db:
                return await _begin(db, tenant, person, lifetime, now)
    raise NotSignedInError("e-mail or password are wrong")


async def sign_out(database: Database, caller: Caller, token: str) -> None:
    """End a session."""
    async with database.transaction(caller.tenant) as db:
        await queries.end_session(db, caller.tenant, hash_token(token))


async def make_link(db: Db, tenant: UUID, person: UUID, now: datetime) -> str:
    """Make a one-time sign-in link and give its token, which is not stored."""
    token = new_token()
    await queries.add_link(db, tenant, person, hash_token(token), now + LINK_LIFETIME)
    return token


async def _begin(
    db: Db, tenant: UUID, person: UUID, lifetime: timedelta, now: datetime
) -> NewSession:
    token = new_token()
    secret = hash_token(token)
    await queries.add_session(db, tenant, person, secret, now=now, expires_at=now + lifetime)
    caller = await queries.read_caller(db, tenant, secret, now)
    if caller is None:  # a person without membership
        raise NotSignedInError("this person is no member of any tenant")
    return NewSession(token, caller)
