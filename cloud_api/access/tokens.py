"""Access tokens of gateways (issued here) and their assertions (checked here): JWT, pure functions.

An assertion is RFC 7523: signed ES256 with the gateway's own key, header ``kid`` = SHA-256 of its
certificate in hex, ``iss`` = ``sub`` = gateway, ``aud`` = this cloud's token address, ``jti``,
``iat``, ``exp`` at most two minutes later. An access token is signed by this cloud, for this cloud.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from cloud_api.access.caller import GatewayCaller
from cloud_api.errors import NotSignedInError
from cloud_sync.wire.identity import ASSERTION_ALGORITHM, ASSERTION_LIFETIME_S

ISSUER = "tidegate"
AUDIENCE = "tidegate:gateway"
TOKEN_LIFETIME = timedelta(minutes=15)
LEEWAY_S = 30
"""A gateway's clock may be this far off; it takes the cloud's time from the answers."""
MAX_JWT_CHARS = 4096
_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@dataclass(frozen=True, slots=True)
class AssertionHead:
    """What an assertion says before anything of it is believed: whose key to check it with."""

    gateway: UUID
    certificate: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """A checked assertion."""

    gateway: UUID
    jti: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """A checked access token."""

    caller: GatewayCaller
    expires_at: datetime


def peek_assertion(assertion: str) -> AssertionHead:
    """Read whose assertion it claims to be, believing nothing.

    Raises:
        NotSignedInError: it is not an assertion.

    """
    try:
        if len(assertion) > MAX_JWT_CHARS:
            raise _refused("too long")
        kid = str(jwt.get_unverified_header(assertion).get("kid", ""))
        claims = jwt.decode(assertion, options={"verify_signature": False})
        return AssertionHead(UUID(str(claims.get("sub", ""))), kid)
    except (jwt.InvalidTokenError, ValueError) as exc:
        raise _refused("not an assertion") from exc


def check_assertion(
    assertion: str, key: EllipticCurvePublicKey, audiences: Collection[str], now: datetime
) -> Assertion:
    """Check signature, audience and times of an assertion with the gateway's registered key.

    Raises:
        NotSignedInError: any of them is wrong; the text says which.

    """
    claims = _decode(
        assertion,
        key,
        ASSERTION_ALGORITHM,
        list(audiences),
        now=now,
        required=["iss", "sub", "aud", "jti", "iat", "exp"],
    )
    lifetime = claims["exp"] - claims["iat"]
    jti = claims["jti"]
    if claims["iss"] != claims["sub"]:
        raise _refused("issuer and subject differ")
    if not 0 < lifetime <= ASSERTION_LIFETIME_S:
        raise _refused(f"valid for {lifetime} s, {ASSERTION_LIFETIME_S} s are allowed")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 128:  # noqa: PLR2004 - the column's check
        raise _refused("jti has to be 8 to 128 characters")
    expires_at = datetime.fromtimestamp(claims["exp"] + LEEWAY_S, UTC)
    return Assertion(UUID(claims["sub"]), jti, expires_at)


def issue_access_token(
    key: EllipticCurvePrivateKey, caller: GatewayCaller, now: datetime
) -> tuple[str, int]:
    """Sign an access token; give it and its lifetime in seconds."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(caller.gateway),
        "tenant": str(caller.tenant),
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFETIME).timestamp()),
    }
    token = jwt.encode(claims, key, algorithm="ES256", headers={"typ": "at+jwt"})
    return token, int(TOKEN_LIFETIME.total_seconds())


def read_access_token(token: str, key: EllipticCurvePublicKey, now: datetime) -> Access:
    """Check an access token of ours.

    Raises:
        NotSignedInError: it is not ours, not for this use, or expired.

    """
    if len(token) > MAX_JWT_CHARS:
        raise _refused("too long")
    claims = _decode(
        token, key, "ES256", [AUDIENCE], now=now, required=["iss", "aud", "sub", "tenant", "exp"]
    )
    if claims["iss"] != ISSUER:
        raise _refused("issued by somebody else")
    try:
        caller = GatewayCaller(tenant=UUID(claims["tenant"]), gateway=UUID(claims["sub"]))
    except (ValueError, AttributeError) as exc:
        raise _refused("names no gateway") from exc
    return Access(caller, datetime.fromtimestamp(claims["exp"] + LEEWAY_S, UTC))


def _decode(
    token: str,
    key: EllipticCurvePublicKey,
    algorithm: str,
    audiences: list[str],
    *,
    now: datetime,
    required: list[str],
) -> dict[str, Any]:
    """Decode with one algorithm and one key. Times are checked here, by the clock we are given."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=audiences,
            options={
                "require": required,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidTokenError as exc:
        raise _refused(str(exc)) from exc
    moment = now.timestamp()
    if not isinstance(claims["exp"], int) or claims["exp"] + LEEWAY_S <= moment:
        raise _refused("expired")
    if not isinstance(claims.get("iat", 0), int) or claims.get("iat", 0) - LEEWAY_S > moment:
        raise _refused("from the future: is the clock of the gateway right?")
    return claims


def _refused(reason: str) -> NotSignedInError:
    return NotSignedInError(f"the token is refused: {reason}", headers=_CHALLENGE)
