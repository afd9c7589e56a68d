"""From a claim to an identity, against a cloud behind TLS."""

import logging

import pytest

from cloud_sync.errors import (
    ClaimRefusedError,
    EnrolmentError,
    LineDownError,
    UntrustedCloudError,
    WrongCloudError,
)
from cloud_sync.identity.enrolment import enrol
from cloud_sync.identity.files import load_identity
from cloud_sync.transports.gateway_api import open_gateway_api
from cloud_sync.wire.identity import Claim
from edge_runtime.clock import SystemClock
from simulators.cloud_line.authority import Authority
from simulators.cloud_line.server import CloudLine, serving
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
