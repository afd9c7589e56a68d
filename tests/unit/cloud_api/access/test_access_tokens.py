"""Attacks on assertions and access tokens; each changes one thing of a good one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cloud_api.access import tokens
from cloud_api.access.caller import GatewayCaller
from cloud_api.errors import NotSignedInError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GATEWAY = uuid4()
AUDIENCE = "https://cloud.test:8443/v1/token"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def good(**changes):
    claims = {
        "iss": str(GATEWAY),
        "sub": str(GATEWAY),
        "aud": AUDIENCE,
        "jti": uuid4().hex,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed(claims, key=KEY, algorithm="ES256"):
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "ab"})


def check(assertion, now=NOW):
    return tokens.check_assertion(assertion, KEY.public_key(), [AUDIENCE], now)


def test_a_good_assertion_is_accepted():
    assert check(signed(good())).gateway == GATEWAY


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.test/v1/token"},
        {"iss": str(uuid4())},
        {"exp": int(NOW.timestamp()) + 3600},
        {"exp": int(NOW.timestamp()) - 120, "iat": int(NOW.timestamp()) - 180},
        {"iat": int(NOW.timestamp()) + 90, "exp": int(NOW.timestamp()) + 150},
        {"exp": None},
        {"jti": None},
        {"iat": None},
        {"aud": None},
        {"jti": "short"},
        {"jti": "x" * 500},
        {"exp": 1e300},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(changes):
    with pytest.raises(NotSignedInError):
        check(signed(good(**changes)))


def test_another_key_is_refused():
    with pytest.raises(NotSignedInError):
        check(signed(good(), OTHER))


def test_an_unsigned_assertion_is_refused():
    with pytest.raises(NotSignedInError):
        check(signed(good(), None, "none"))


def test_the_public_key_as_a_shared_secret_is_refused():
    public = b"0" * 32
    with pytest.raises(NotSignedInError):
        check(signed(good(), public, "HS256"))


def test_an_access_token_says_whose_it_is():
    caller = GatewayCaller(uuid4(), uuid4())
    token, lifetime = tokens.issue_access_token(KEY, caller, NOW)
    assert lifetime == 900
    assert tokens.read_access_token(token, KEY.public_key(), NOW).caller == caller


def test_an_access_token_ends():
    token, _ = tokens.issue_access_token(KEY, GatewayCaller(uuid4(), uuid4()), NOW)
    with pytest.raises(NotSignedInError, match="expired"):
        tokens.read_access_token(token, KEY.public_key(), NOW + timedelta(minutes=16))


@pytest.mark.parametrize(
    "changes",
    [{"aud": "tidegate:person"}, {"iss": "somebody"}, {"tenant": "x"}, {"tenant": None}],
    ids=str,
)
def test_a_token_for_something_else_is_refused(changes):
    claims = good(aud=tokens.AUDIENCE, iss=tokens.ISSUER, tenant=str(uuid4())) | changes
    token = signed({name: value for name, value in claims.items() if value is not None})
    with pytest.raises(NotSignedInError):
        tokens.read_access_token(token, KEY.public_key(), NOW)


def test_an_assertion_is_no_access_token():
    with pytest.raises(NotSignedInError):
        tokens.read_access_token(signed(good()), KEY.public_key(), NOW)


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 5000, "....", "\x00"])
def test_nonsense_is_refused_and_not_a_crash(text):
    with pytest.raises(NotSignedInError):
        tokens.peek_assertion(text)
    with pytest.raises(NotSignedInError):
        tokens.read_access_token(text, KEY.public_key(), NOW)
