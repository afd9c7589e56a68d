"""From a claim to an identity, against a cloud behind TLS."""

import logging

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.responses import JSONResponse

from cloud_sync.errors import (
    AnswerInvalidError,
    ClaimRefusedError,
    CloudBusyError,
    EnrolmentError,
    LineDownError,
    UntrustedCloudError,
    WrongCloudError,
)
from cloud_sync.identity.enrolment import enrol
from cloud_sync.identity.files import keep_key, load_identity, signing_request
from cloud_sync.transports.gateway_api import open_gateway_api
from cloud_sync.wire.identity import Claim
from cloud_sync.wire.problems import Problem
from edge_runtime.clock import SystemClock
from simulators.cloud_line.authority import Authority
from simulators.cloud_line.server import CloudLine, problem, serving
from simulators.manual_clock import ManualClock


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "identity"


@pytest.fixture
def enrolling(cloud, folder):
    """Enrol with a claim at the cloud: ``await enrolling(claim)``."""

    async def start(claim, url=""):
        return await enrol(
            folder, url=url or cloud.url, claim=str(claim), name="cellar-1", version="0.1.0"
        )

    return start


async def test_a_claim_gives_an_identity_that_is_kept(cloud, folder, enrolling):
    identity = await enrolling(cloud.books.new_claim())
    assert load_identity(folder).fingerprint == identity.fingerprint
    assert identity.gateway.name == "cellar-1"
    assert identity.authority.encode() == cloud.books.authority.pem


async def test_a_cloud_with_another_authority_gets_nothing_secret(cloud, enrolling):
    claim = Claim(cloud.books.new_claim().secret, Authority().pin)
    with pytest.raises(WrongCloudError, match="nothing secret was sent") as caught:
        await enrolling(claim)
    assert cloud.secrets_seen == []
    assert caught.value.hint


async def test_a_server_in_between_that_shows_the_right_authority_gets_nothing_secret(
    cloud, enrolling, tmp_path
):
    """Somebody can copy the authority's certificate, but cannot prove to hold its key."""
    claim = cloud.books.new_claim()
    between = CloudLine()
    (tmp_path / "between").mkdir()
    async with serving(tmp_path / "between", between):
        between.books.authority.certificate = cloud.books.authority.certificate
        with pytest.raises(UntrustedCloudError):
            await enrolling(claim, between.url)
    assert between.secrets_seen == []


async def test_a_lost_answer_is_made_good_with_the_same_key(cloud, enrolling):
    claim = cloud.books.new_claim()
    cloud.lost_answers = 1
    with pytest.raises(LineDownError):
        await enrolling(claim)
    identity = await enrolling(claim)
    assert identity.gateway.gateway == cloud.books.claims[claim.secret].id


async def test_a_used_claim_says_what_to_do(cloud, enrolling, folder):
    claim = cloud.books.new_claim()
    await enrolling(claim)
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(ClaimRefusedError) as caught:
        await enrolling(claim)
    assert "make a new claim" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [(409, Problem.CONFLICT, "gateway.name"), (422, Problem.INVALID_REQUEST, "claim")],
)
async def test_a_refusal_that_will_not_pass_says_what_to_do(cloud, enrolling, status, code, hint):
    cloud.enrolments.append(problem(status, code))
    with pytest.raises(EnrolmentError) as caught:
        await enrolling(cloud.books.new_claim())
    assert hint in caught.value.hint


async def test_a_busy_cloud_is_no_refusal(cloud, enrolling):
    cloud.enrolments.append(problem(429, Problem.TOO_MANY))
    with pytest.raises(CloudBusyError):
        await enrolling(cloud.books.new_claim())


@pytest.fixture
def foreign_reply(tmp_path):
    """Give an answer with a certificate for somebody else's key: ``foreign_reply(signer)``."""

    def make(signer: Authority) -> JSONResponse:
        request = x509.load_pem_x509_csr(signing_request(keep_key(tmp_path / "b"), "b").encode())
        pem = signer.sign(request, "b").public_bytes(Encoding.PEM).decode()
        reply = {"gateway": "b", "tenant": "t", "site": "s", "certificate": pem, "authority": ""}
        return JSONResponse(reply, 201)

    return make


async def test_a_certificate_for_another_key_is_refused(cloud, enrolling, folder, foreign_reply):
    cloud.enrolments.append(foreign_reply(cloud.books.authority))
    with pytest.raises(AnswerInvalidError, match="another key"):
        await enrolling(cloud.books.new_claim())
    assert load_identity(folder) is None


async def test_a_certificate_of_another_authority_is_refused(cloud, enrolling, foreign_reply):
    cloud.enrolments.append(foreign_reply(Authority()))
    with pytest.raises(AnswerInvalidError, match="its authority"):
        await enrolling(cloud.books.new_claim())


async def test_a_server_that_is_no_cloud_is_named(cloud, enrolling):
    claim = cloud.books.new_claim()
    with pytest.raises(AnswerInvalidError, match="HTTP 404"):
        await enrolling(claim, cloud.url + "/elsewhere")
    assert cloud.secrets_seen == []


async def test_what_is_no_claim_is_not_repeated_in_the_error(enrolling):
    with pytest.raises(EnrolmentError, match="TGC-") as caught:
        await enrolling("hunter2")
    assert "hunter2" not in str(caught.value)


async def test_no_secret_is_logged(cloud, enrolling, caplog):
    caplog.set_level(logging.DEBUG)
    claim = cloud.books.new_claim()
    await enrolling(claim)
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert str(claim) not in logged
    assert "PRIVATE KEY" not in logged


async def test_an_address_without_https_is_refused(enrolling, cloud):
    with pytest.raises(LineDownError, match="https://"):
        await enrolling(cloud.books.new_claim(), "http://127.0.0.1:1")


async def test_a_certificate_for_another_address_is_refused(enrolling, tmp_path):
    elsewhere = CloudLine(address="127.0.0.9")
    (tmp_path / "elsewhere").mkdir()
    async with serving(tmp_path / "elsewhere", elsewhere):
        with pytest.raises(UntrustedCloudError, match="IP address mismatch"):
            await enrolling(elsewhere.books.new_claim(), elsewhere.url)
    assert elsewhere.secrets_seen == []


async def test_a_gateway_with_a_wrong_clock_takes_the_clouds_time(cloud, enrolling):
    identity = await enrolling(cloud.books.new_claim())
    clock = ManualClock(wall_us=SystemClock().wall_us() - 3_600_000_000)
    async with open_gateway_api(identity, cloud.url, clock) as api:
        assert (await api.streams()).streams == []


async def test_a_token_is_renewed_before_it_expires(cloud, enrolling):
    identity = await enrolling(cloud.books.new_claim())
    clock = ManualClock(wall_us=SystemClock().wall_us())
    async with open_gateway_api(identity, cloud.url, clock) as api:
        await api.streams()
        await clock.advance(700)
        await api.streams()
        assert cloud.books.tokens_issued == 1
        await clock.advance(30)
        await api.streams()
        assert cloud.books.tokens_issued == 2
