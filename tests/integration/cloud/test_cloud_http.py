"""What every answer has in common: problems, headers, limits, health."""

import gzip

import httpx
import pytest
from fastapi import APIRouter, Depends

from cloud_api.access.dependencies import public
from cloud_sync.wire import paths

HEADERS = (
    "x-content-type-options", "referrer-policy", "x-frame-options", "content-security-policy",
    "cross-origin-resource-policy", "cache-control",
)  # fmt: skip


def assert_problem(answer, status, code):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"].endswith(code)
    assert body["title"]
    assert body["detail"]


@pytest.fixture
def odd_routes(app):
    """A route that goes wrong as no real one should."""
    router = APIRouter(dependencies=[Depends(public)])

    @router.get("/odd/crash")
    async def crash():
        msg = "secret detail of our insides"
        raise ZeroDivisionError(msg)

    app.include_router(router)
    app.router.routes.insert(0, app.router.routes.pop())  # before the dashboard, which takes all


async def test_a_gateway_that_leaves_while_sending_is_noted_and_no_error(
    app, add_tenant, add_gateway, caplog
):
    gateway = await add_gateway(await add_tenant())
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": paths.UPLINK, "raw_path": b"", "query_string": b"",
        "headers": [(k.lower().encode(), v.encode()) for k, v in gateway.headers.items()],
    }  # fmt: skip
    with caplog.at_level("INFO", logger="cloud_api"):
        await app(scope, receive, send)
    assert sent[0]["status"] == 499
    levels = [(record.levelname, record.exc_info) for record in caplog.records]
    assert levels == [("INFO", None)]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/gateways/x", "/metrics/x", "/v1/points/-1"])
async def test_what_is_not_there_is_a_problem(client, add_tenant, path):
    tenant = await add_tenant()
    assert_problem(await client.get(path, headers=tenant.headers), 404, "not-found")


async def test_a_wrong_method_is_a_problem(client):
    assert_problem(await client.put("/v1/sites"), 405, "invalid-request")


async def test_a_wrong_field_names_what_was_found_and_what_is_allowed(client, add_tenant):
    tenant = await add_tenant()
    path = f"/v1/sites/{tenant.site}/claims"
    answer = await client.post(path, json={"valid_hours": 9999}, headers=tenant.headers)
    assert_problem(answer, 400, "invalid-request")
    assert answer.json()["errors"][0]["field"] == "valid_hours"
    assert answer.json()["errors"][0]["found"] == 9999
    assert "720" in answer.json()["errors"][0]["allowed"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"valid_hours": NaN}', b"[]", b'"x"'])
async def test_a_broken_body_is_a_problem(client, add_tenant, body):
    tenant = await add_tenant()
    headers = tenant.headers | {"Content-Type": "application/json"}
    path = f"/v1/sites/{tenant.site}/claims"
    assert_problem(await client.post(path, content=body, headers=headers), 400, "invalid-request")


async def test_a_body_over_the_limit_is_refused(client):
    body = b'{"token": "' + b"x" * (65 << 10) + b'"}'
    headers = {"Content-Type": "application/json", "Tidegate-CSRF": "1"}
    answer = await client.post("/v1/session", content=body, headers=headers)
    assert_problem(answer, 413, "too-large")


async def test_a_body_without_a_length_is_counted_too(client):
    async def endless():
        for _ in range(100):
            yield gzip.compress(b"x" * 10) * 100

    headers = {"Content-Type": "application/json", "Tidegate-CSRF": "1"}
    answer = await client.post("/v1/session", content=endless(), headers=headers)
    assert_problem(answer, 413, "too-large")


@pytest.mark.parametrize("path", ["/healthz", "/v1/nothing", "/v1/sites", "/"])
async def test_every_answer_carries_the_security_headers(client, path):
    answer = await client.get(path)
    assert [name for name in HEADERS if name not in answer.headers] == []
    assert "server" not in answer.headers


async def test_the_page_may_load_and_call_its_own_cloud_only(client):
    answer = await client.get("/sites/anything")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    again = await client.get("/", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_a_crash_tells_nothing_of_our_insides(app, odd_routes):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:  # noqa: TID251 - in-process
        answer = await http.get("/odd/crash")
    assert_problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "x-content-type-options" in answer.headers


async def test_health_readiness_and_metrics(client):
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = (await client.get("/readyz")).json()
    assert ready == {"ready": True, "checks": {"database": "ok", "stopping": "ok"}}
    metrics = await client.get("/metrics")
    assert 'tidegate_http_requests_total{method="GET",route="/healthz"' in metrics.text


async def test_metrics_name_no_tenant_and_stay_on_loopback(app, client, add_tenant):
    tenant = await add_tenant("canary")
    await client.get(f"/v1/gateways/{tenant.site}", headers=tenant.headers)
    metrics = (await client.get("/metrics")).text
    assert str(tenant.site) not in metrics
    assert "canary" not in metrics
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:  # noqa: TID251 - in-process
        assert_problem(await http.get("/metrics"), 404, "not-found")


async def test_without_its_database_the_cloud_is_not_ready_but_alive(client, database):
    await database.app.close()
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/v1/session", headers={"Cookie": "tidegate_session=x"})
    assert_problem(answer, 503, "not-ready")
    assert answer.headers["retry-after"]
