"""Signing in and out, as a browser does it and as an attacker tries it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cloud_api.access import passwords, people
from cloud_api.access.dependencies import now
from cloud_api.tenancy import service as tenancy

CSRF = {"Tidegate-CSRF": "1"}
PASSWORD = "correct horse battery"


@pytest.fixture
async def tenant(add_tenant):
    return await add_tenant(f"acme-{uuid4().hex[:8]}")  # an address that no other tenant knows


@pytest.fixture
async def link(database, tenant):
    async with database.transaction(tenant.id) as db:
        return await people.make_link(db, tenant.id, tenant.person, datetime.now(UTC))


@pytest.fixture
async def with_password(database, tenant):
    hashed = await passwords.hash_password(PASSWORD)
    async with database.transaction(tenant.id) as db:
        await tenancy.set_password(db, tenant.id, tenant.person, hashed)
    return tenant


async def sign_in(client, body, headers=CSRF):
    return await client.post("/v1/session", json=body, headers=headers)


async def test_a_link_signs_in_and_the_session_says_who(client, link, tenant):
    answer = await sign_in(client, {"token": link})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    session = (await client.get("/v1/session")).json()
    assert session["person"]["email"] == tenant.email
    assert session["tenant"] == {"id": str(tenant.id), "name": tenant.name}
    assert session["role"] == "admin"
    assert session["expires_at"].endswith("Z")


async def test_over_https_the_cookie_is_secure(client, link):
    client.base_url = "https://cloud.test"
    answer = await sign_in(client, {"token": link})
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


async def test_a_link_works_once(client, link):
    assert (await sign_in(client, {"token": link})).status_code == 200
    assert (await sign_in(client, {"token": link})).status_code == 401


async def test_an_old_link_does_not_work(app, client, link):
    app.dependency_overrides[now] = lambda: datetime.now(UTC) + timedelta(hours=2)
    assert (await sign_in(client, {"token": link})).status_code == 401


async def test_a_password_signs_in_whatever_the_case_of_the_address(client, with_password):
    body = {"email": with_password.email.upper(), "password": PASSWORD}
    assert (await sign_in(client, body)).status_code == 200


async def test_wrong_password_and_unknown_address_answer_alike(client, with_password):
    wrong = await sign_in(client, {"email": with_password.email, "password": "wrong"})
    unknown = await sign_in(client, {"email": "nobody@example.com", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text == unknown.text


async def test_somebody_without_a_password_cannot_use_an_empty_one(client, tenant):
    for password in ("x", "None", "null"):
        answer = await sign_in(client, {"email": tenant.email, "password": password})
        assert answer.status_code == 401
    assert (await sign_in(client, {"email": tenant.email, "password": ""})).status_code == 400


async def test_guessing_is_slowed_down(client, tenant):
    answers = [
        await sign_in(client, {"email": tenant.email, "password": f"guess {n}"}) for n in range(10)
    ]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_without_our_header_nothing_is_changed(client, link, tenant):
    assert (await sign_in(client, {"token": link}, headers={})).status_code == 403
    cookie = {"Cookie": f"tidegate_session={tenant.cookie}"}
    assert (await client.delete("/v1/session", headers=cookie)).status_code == 403
    assert (await client.get("/v1/session", headers=cookie)).status_code == 200


async def test_after_signing_out_the_session_is_worth_nothing(client, tenant):
    assert (await client.delete("/v1/session", headers=tenant.headers)).status_code == 204
    assert (await client.get("/v1/session", headers=tenant.headers)).status_code == 401


async def test_a_session_ends_by_itself(app, client, tenant):
    app.dependency_overrides[now] = lambda: datetime.now(UTC) + timedelta(hours=13)
    assert (await client.get("/v1/session", headers=tenant.headers)).status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, "%00", "' OR 1=1 --"])
async def test_a_made_up_cookie_is_refused(client, cookie):
    answer = await client.get("/v1/session", headers={"Cookie": f"tidegate_session={cookie}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"token": ""},
        {"token": "a", "email": "b", "password": "c"},
        {"email": "b"},
        [],
        {"x": 1},
    ],
    ids=str,
)
async def test_half_a_sign_in_is_a_problem_that_names_the_field(client, body):
    answer = await sign_in(client, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]


async def test_a_viewer_makes_no_claims(client, add_tenant):
    viewer = await add_tenant("vole", role="viewer")
    answer = await client.post(f"/v1/sites/{viewer.site}/claims", json={}, headers=viewer.headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "not-allowed"


async def test_neither_token_nor_password_is_stored_as_it_is(database, tenant, link, with_password):
    async with database.transaction(tenant.id) as db:
        for table in ("session", "sign_in_link", "person"):
            found = await db.execute(f"SELECT t::text FROM {table} AS t")
            text = str(await found.fetchall())
            assert link not in text
            assert tenant.cookie not in text
            assert PASSWORD not in text
