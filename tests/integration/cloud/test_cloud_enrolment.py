"""Claims and enrolment, as a gateway does it and as an attacker tries it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cloud_api.access.authority import make_authority
from cloud_api.access.dependencies import now
from cloud_sync.wire.identity import Claim, parse_claim


def request_of(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "who I want to be")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(Encoding.PEM).decode()


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
async def tenant(add_tenant):
    return await add_tenant("acme")


@pytest.fixture
def new_claim(client, tenant):
    async def make(valid_hours=2):
        answer = await client.post(
            f"/v1/sites/{tenant.site}/claims",
            json={"valid_hours": valid_hours},
            headers=tenant.headers,
        )
        assert answer.status_code == 201
        assert answer.json()["url"].startswith("https://")
        return answer.json()["claim"]

    return make


@pytest.fixture
async def claim(new_claim):
    return await new_claim()


@pytest.fixture
def enrol(client):
    async def post(claim, key, name="cellar-1", csr=None):
        body = {"claim": claim, "csr": csr or request_of(key), "name": name, "version": "0.1.0"}
        return await client.post("/v1/enrol", json=body)

    return post


async def test_a_claim_makes_a_gateway_known(client, enrol, claim, tenant, keyring):
    key = new_key()
    reply = (await enrol(claim, key)).json()
    leaf = x509.load_pem_x509_certificate(reply["certificate"].encode())
    authority = x509.load_pem_x509_certificate(reply["authority"].encode())
    leaf.verify_directly_issued_by(authority)
    assert leaf.public_key() == key.public_key()
    assert leaf.subject.rfc4514_string() == f"CN={reply['gateway']}"
    assert reply["tenant"] == str(tenant.id)
    assert reply["site"] == str(tenant.site)
    assert reply["authority"] == (await client.get("/v1/authority")).text == keyring.authority.pem
    listed = (await client.get("/v1/gateways", headers=tenant.headers)).json()["gateways"]
    assert [(g["name"], g["state"]) for g in listed] == [("cellar-1", "waiting")]


async def test_the_claim_pins_the_authority(claim, keyring):
    assert parse_claim(claim).pin == keyring.authority.pin


async def test_a_used_claim_is_refused_to_everybody_else(enrol, claim):
    assert (await enrol(claim, new_key())).status_code == 201
    assert (await enrol(claim, new_key(), "cellar-2")).status_code == 403


async def test_a_lost_answer_is_given_again_to_the_same_key(enrol, claim):
    key = new_key()
    first, again = (await enrol(claim, key)).json(), (await enrol(claim, key)).json()
    assert first["gateway"] == again["gateway"]
    assert first["certificate"] != again["certificate"]


async def test_a_suspended_gateway_gets_no_fresh_certificate(enrol, claim, database, tenant):
    key = new_key()
    await enrol(claim, key)
    async with database.transaction(tenant.id) as db:
        await db.execute("UPDATE gateway SET status = 'suspended'")
    assert (await enrol(claim, key)).status_code == 403


async def test_wrong_used_expired_foreign_and_nonsense_claims_answer_alike(
    app, enrol, new_claim, keyring
):
    claim, fresh = await new_claim(), await new_claim(1)
    await enrol(claim, new_key())
    secret = parse_claim(claim).secret
    other_cloud = Claim(secret, make_authority(datetime.now(UTC)).pin)
    answers = [
        await enrol(str(Claim(bytes(16), keyring.authority.pin)), new_key()),
        await enrol(claim, new_key(), "cellar-2"),
        await enrol(str(other_cloud), new_key()),
        await enrol("TGC-NONSENSE", new_key()),
    ]
    app.dependency_overrides[now] = lambda: datetime.now(UTC) + timedelta(hours=3)
    answers.append(await enrol(fresh, new_key(), "cellar-3"))
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["code"] == "claim-refused"


async def test_two_uses_at_once_make_one_gateway(enrol, claim):
    answers = await asyncio.gather(*(enrol(claim, new_key(), f"cellar-{n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403]


async def test_a_name_is_given_once(enrol, claim, new_claim):
    await enrol(claim, new_key())
    second = await new_claim()
    taken = await enrol(second, new_key())
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert (await enrol(second, new_key(), "cellar-2")).status_code == 201


async def test_a_key_belongs_to_one_gateway(enrol, claim, new_claim):
    key = new_key()
    await enrol(claim, key)
    assert (await enrol(await new_claim(), key, "cellar-2")).status_code == 409


@pytest.mark.parametrize(
    "key",
    [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())],
    ids=["RSA-1024", "P-384"],
)
async def test_a_weak_or_odd_key_is_refused_and_leaves_the_claim_good(enrol, claim, key):
    assert (await enrol(claim, key)).status_code == 400
    assert (await enrol(claim, new_key())).status_code == 201


@pytest.mark.parametrize("name", ["", "Cellar 1", "../x", "x" * 64, "a\x00b", "-a"])
async def test_a_name_outside_the_rules_is_refused(enrol, claim, name):
    answer = await enrol(claim, new_key(), name)
    assert answer.status_code == 400
    assert claim not in answer.text


async def test_a_flood_is_slowed_down(enrol):
    answers = [await enrol("TGC-X", new_key(), csr="x") for _ in range(125)]
    assert answers[-1].status_code == 429


async def test_a_claim_is_stored_as_its_hash(database, tenant, claim):
    async with database.transaction(tenant.id) as db:
        found = await db.execute("SELECT encode(hash, 'hex') FROM claim")
        stored = str(await found.fetchall())
    assert parse_claim(claim).secret.hex() not in stored
