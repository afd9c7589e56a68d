"""A gateway's signed assertion against an access token (RFC 7523, 2.2)."""

from collections.abc import Collection
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cloud_api.access import doors, queries, tokens
from cloud_api.access.caller import GatewayCaller
from cloud_api.access.keyring import Keyring
from cloud_api.access.queries import StoredCredential
from cloud_api.db.session import Database, adopt
from cloud_api.errors import NotSignedInError
from cloud_sync.wire.identity import TokenReply


async def exchange_assertion(
    database: Database,
    keyring: Keyring,
    audiences: Collection[str],
    assertion: str,
    now: datetime,
) -> TokenReply:
    """Check an assertion, use it up, and sign an access token.

    Raises:
        NotSignedInError: unknown or suspended gateway, another key, or the assertion is wrong,
            for somebody else, too old or used before.

    """
    head = tokens.peek_assertion(assertion)
    async with database.door() as db:
        tenant = await doors.tenant_of_gateway(db, head.gateway)
        if tenant is None:
            raise NotSignedInError("no gateway is known by this assertion")
        await adopt(db, tenant)
        stored = await queries.read_credential(db, tenant, head.gateway)
        checked = tokens.check_assertion(
            assertion, key_of(stored, head.certificate, now), audiences, now
        )
        if not await queries.use_assertion(
            db, tenant, head.gateway, checked.jti, now=now, expires_at=checked.expires_at
        ):
            raise NotSignedInError("the assertion was used before", hint="sign a new one")
    token, lifetime = keyring.issue_access_token(GatewayCaller(tenant, head.gateway), now)
    return TokenReply(access_token=token, token_type="Bearer", expires_in=lifetime)  # noqa: S106 - RFC 6750's word


def key_of(
    stored: StoredCredential | None, certificate_sha256: str, now: datetime
) -> ec.EllipticCurvePublicKey:
    """Give the key that an assertion has to be signed with.

    Raises:
        NotSignedInError: there is no gateway, it is suspended, or names another certificate.

    """
    if stored is None or stored.status != "enrolled":
        raise NotSignedInError("no gateway is known by this assertion")
    if stored.certificate_sha256.hex() != certificate_sha256.lower():
        raise NotSignedInError("the assertion names a certificate that is not the newest one")
    if stored.certificate_expires_at <= now:
        raise NotSignedInError(
            "the gateway's certificate has expired", hint="enrol the gateway with a new claim"
        )
    key = x509.load_der_x509_certificate(stored.certificate).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotSignedInError("the gateway's key is not an EC key")
    return key
