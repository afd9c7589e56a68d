"""Assertions against tokens, and what a token opens."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cloud_api.access.authority import fingerprint
from cloud_api.access.caller import GatewayCaller
from cloud_api.access.dependencies import now
from cloud_api.access.keyring import STANDING_S
from cloud_sync.wire import paths
from cloud_sync.wire.identity import ASSERTION_TYPE

AUDIENCE = "https://cloud.test:8443/v1/token"


def sign(gateway, key=None, *, kid=None, **changes):
    moment = int(time.time())
    claims = {
        "iss": str(gateway.id), "sub": str(gateway.id), "aud": AUDIENCE,
        "jti": uuid4().hex, "iat": moment, "exp": moment + 60,
    } | changes  # fmt: skip
    head = {"kid": fingerprint(gateway.certificate).hex() if kid is None else kid}
    return jwt.encode(claims, key or gateway.key, algorithm="ES256", headers=head)


@pytest.fixture
async def gateway(add_tenant, add_gateway):
    return await add_gateway(await add_tenant("acme"))


@pytest.fixture
def ask(client):
    async def post(assertion, **changes):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        } | changes
        return await client.post(paths.TOKEN, data=form)

    return post


async def test_an_assertion_gets_a_token_that_opens_the_gateways_side(client, ask, gateway):
    reply = (await ask(sign(gateway))).json()
    assert reply["token_type"] == "Bearer"
    assert reply["expires_in"] == 900
    head = {"Authorization": f"Bearer {reply['access_token']}"}
    assert (await client.get(paths.STREAMS, headers=head)).json() == {"streams": []}


async def test_an_assertion_is_good_once(ask, gateway):
    assertion = sign(gateway)
    assert (await ask(assertion)).status_code == 200
    assert (await ask(assertion)).status_code == 401


async def test_every_name_of_this_cloud_is_an_audience_and_no_other(ask, gateway):
    for name, status in (("localhost", 200), ("cloud.test", 200), ("evil.test", 401)):
        answer = await ask(sign(gateway, aud=f"https://{name}:8443/v1/token"))
        assert answer.status_code == status


async def test_another_gateways_key_is_refused(ask, gateway, add_gateway):
    other = await add_gateway(gateway.tenant, "cellar-2")
    for assertion in (
        sign(gateway, other.key),
        sign(gateway, other.key, kid=fingerprint(other.certificate).hex()),
        sign(gateway, kid="00" * 32),
        sign(gateway, ec.generate_private_key(ec.SECP256R1())),
    ):
        assert (await ask(assertion)).status_code == 401


async def test_an_unknown_gateway_is_refused(ask, gateway):
    assert (await ask(sign(gateway, sub=str(uuid4())))).status_code == 401


async def test_an_unsigned_assertion_is_refused(ask, gateway):
    claims = jwt.decode(sign(gateway), options={"verify_signature": False})
    head = {"kid": fingerprint(gateway.certificate).hex()}
    assert (await ask(jwt.encode(claims, None, "none", head))).status_code == 401


async def test_an_expired_certificate_gets_no_token(app, ask, gateway):
    later = datetime.now(UTC) + timedelta(days=91)
    app.dependency_overrides[now] = lambda: later
    moment = int(later.timestamp())
    answer = await ask(sign(gateway, iat=moment, exp=moment + 60))
    assert answer.status_code == 401
    assert "certificate has expired" in answer.json()["detail"]


@pytest.mark.parametrize(
    "changes",
    [{"grant_type": "password"}, {"client_assertion_type": "x"}, {"client_assertion": ""}],
    ids=str,
)
async def test_another_form_is_a_problem(ask, gateway, changes):
    assertion = sign(gateway)
    answer = await ask(assertion, **changes)
    assert answer.status_code == 400
    assert assertion not in answer.text


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a=b;" * 50, b"{}"])
async def test_a_body_that_is_no_form_is_a_problem(client, body):
    assert (await client.post(paths.TOKEN, content=body)).status_code == 400


async def test_a_suspended_gateway_is_out_within_a_minute(client, ask, gateway, database, keyring):
    assert STANDING_S <= 60
    assert (await client.get(paths.STREAMS, headers=gateway.headers)).status_code == 200
    async with database.transaction(gateway.tenant.id) as db:
        await db.execute("UPDATE gateway SET status = 'suspended'")
    assert (await ask(sign(gateway))).status_code == 401
    keyring.standing.monotonic = lambda: time.monotonic() + STANDING_S
    assert (await client.get(paths.STREAMS, headers=gateway.headers)).status_code == 401


async def test_a_token_for_a_gateway_that_is_not_there_is_refused(client, keyring, gateway):
    for caller in (
        GatewayCaller(gateway.tenant.id, uuid4()),
        GatewayCaller(uuid4(), gateway.id),
    ):
        token, _ = keyring.issue_access_token(caller, datetime.now(UTC))
        head = {"Authorization": f"Bearer {token}"}
        assert (await client.get(paths.STREAMS, headers=head)).status_code == 401


async def test_people_and_gateways_cannot_use_each_others_credentials(client, gateway):
    assert (await client.get("/v1/sites", headers=gateway.headers)).status_code == 401
    assert (await client.get(paths.STREAMS, headers=gateway.tenant.headers)).status_code == 401
    as_bearer = {"Authorization": f"Bearer {gateway.tenant.cookie}"}
    assert (await client.get(paths.STREAMS, headers=as_bearer)).status_code == 401
    as_cookie = {"Cookie": f"tidegate_session={gateway.token}"}
    assert (await client.get("/v1/sites", headers=as_cookie)).status_code == 401
