"""Claims, and gateways that become known by them.

A claim is used once. A gateway that lost the answer asks again with the same claim and the same key
and gets a fresh certificate for the same identity; the signature in its request proves the key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID, uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_api.access import doors, queries
from cloud_api.access.authority import (
    Authority,
    check_request,
    fingerprint,
    key_fingerprint,
    pem_of,
)
from cloud_api.access.opaque import hash_secret, new_secret
from cloud_api.db.session import Database, Db, adopt
from cloud_api.errors import ClaimRefusedError, ConflictError
from cloud_sync.wire.identity import SECRET_BYTES, Claim, EnrolReply, EnrolRequest, parse_claim

RETRY_GRACE = timedelta(hours=1)
"""How long after its claim expired a gateway may still fetch an answer that it lost."""


class Verdict(Enum):
    """What a claim is good for."""

    REFUSED = "refused"
    NEW = "new"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class IssuedClaim:
    """A claim that was just made; its text is not stored."""

    claim: Claim
    expires_at: datetime


async def issue_claim(
    db: Db, tenant: UUID, site: UUID, authority: Authority, *, lifetime: timedelta, now: datetime
) -> IssuedClaim:
    """Make a claim for one gateway at a site of the tenant."""
    claim = Claim(new_secret(SECRET_BYTES), authority.pin)
    expires_at = now + lifetime
    await queries.add_claim(
        db, tenant, site, hash_secret(claim.secret), expires_at=expires_at, uses=1
    )
    return IssuedClaim(claim, expires_at)


async def enrol(
    database: Database, authority: Authority, request: EnrolRequest, now: datetime
) -> EnrolReply:
    """Use a claim: make a gateway known and certify its key.

    Raises:
        ClaimRefusedError: wrong, used or expired; which of them is not told.
        InvalidRequestError: the signing request cannot be used.
        ConflictError: the tenant has a gateway of this name, or with this key.

    """
    secret = _secret_of(request.claim, authority)
    async with database.door() as db:
        tenant = await doors.tenant_of_claim(db, secret)
        if tenant is None:
            raise ClaimRefusedError
        await adopt(db, tenant)
        claim = await queries.lock_claim(db, tenant, secret)
        if claim is None:
            raise ClaimRefusedError
        csr = check_request(request.csr)
        key = key_fingerprint(csr.public_key())
        gateway = claim.gateway_id
        verdict = judge(claim, key, now)
        if verdict is Verdict.REFUSED:
            raise ClaimRefusedError
        if verdict is Verdict.NEW or gateway is None:
            gateway = uuid4()
            certificate = authority.sign_gateway(csr, gateway, now)
            await _add(
                db, tenant, claim.site_id, request, credential_of(gateway, certificate), now=now
            )
            await queries.use_claim(db, tenant, secret, key, gateway)
        else:
            certificate = authority.sign_gateway(csr, gateway, now)
            if not await queries.renew_gateway(db, tenant, credential_of(gateway, certificate)):
                raise ClaimRefusedError
    return EnrolReply(
        gateway=str(gateway),
        tenant=str(tenant),
        site=str(claim.site_id),
        certificate=pem_of(certificate),
        authority=authority.pem,
    )


def judge(claim: queries.ClaimRow, public_key_sha256: bytes, now: datetime) -> Verdict:
    """Decide what a claim is good for in the hand of whoever has this key."""
    if claim.used_by == public_key_sha256 and claim.gateway_id is not None:
        return Verdict.AGAIN if now < claim.expires_at + RETRY_GRACE else Verdict.REFUSED
    return Verdict.NEW if claim.uses_left > 0 and now < claim.expires_at else Verdict.REFUSED


def _secret_of(text: str, authority: Authority) -> bytes:
    """Give the hash by which a claim is found, if it is a claim of this cloud."""
    try:
        claim = parse_claim(text)
    except ValueError as exc:
        raise ClaimRefusedError from exc
    if claim.pin != authority.pin:
        raise ClaimRefusedError
    return hash_secret(claim.secret)


async def _add(
    db: Db,
    tenant: UUID,
    site: UUID,
    request: EnrolRequest,
    credential: queries.Credential,
    *,
    now: datetime,
) -> None:
    added = await queries.add_gateway(
        db, tenant, site, credential, name=request.name, version=request.version, now=now
    )
    if not added:
        raise ConflictError(
            f"there is a gateway '{request.name}' already, or one with this key",
            hint="choose another name in gateway.yaml; a new gateway makes a new key",
        )


def credential_of(gateway: UUID, certificate: x509.Certificate) -> queries.Credential:
    """Give what is stored of a gateway's certificate."""
    return queries.Credential(
        id=gateway,
        public_key_sha256=key_fingerprint(certificate.public_key()),
        certificate_sha256=fingerprint(certificate),
        certificate=certificate.public_bytes(Encoding.DER),
        certificate_serial=f"{certificate.serial_number:x}",
        certificate_expires_at=certificate.not_valid_after_utc,
    )
