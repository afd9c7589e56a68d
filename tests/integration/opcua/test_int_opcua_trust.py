"""Who trusts whom, and what people are told when somebody does not."""

import asyncio

import pytest

from components.opcua.certificate import make_certificate, own_certificate
from components.opcua.client import now
from components.opcua.errors import GatewayUntrustedError, ServerUntrustedError
from components.opcua.trust import list_pending, reject, trust
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality

pytestmark = pytest.mark.asyncio(loop_scope="session")
ONE = ["machine_parts"]
NO_SECURITY = "http://opcfoundation.org/UA/SecurityPolicy#None"
OPERATOR = {"user": "operator", "password": "cut-well"}


async def is_read(device) -> bool:
    [reading] = await device.read(ONE)
    return reading.quality is Quality.GOOD


async def test_unknown_server_is_refused_kept_and_named(simulator, open_machine, tmp_path):
    async with open_machine(simulator, known=False) as device:
        with pytest.raises(ServerUntrustedError) as caught:
            await device.read(ONE)
        [pending] = list_pending(tmp_path / "pki")
        assert pending.fingerprint == simulator.fingerprint
        assert simulator.fingerprint in str(caught.value)
        assert pending.file in str(caught.value)
        assert f"tidegate edge trust accept {simulator.fingerprint[:16]}" in caught.value.hint
        trust(tmp_path / "pki", simulator.fingerprint[:16])
        assert await is_read(device)


async def test_rejected_server_stays_refused(simulator, open_machine, tmp_path):
    async with open_machine(simulator) as device:
        assert await is_read(device)
    reject(tmp_path / "pki", simulator.fingerprint)
    async with open_machine(simulator, known=False) as device:
        with pytest.raises(ServerUntrustedError, match="was rejected"):
            await device.read(ONE)
    assert list_pending(tmp_path / "pki") == []


async def test_server_with_another_certificate_is_another_server(simulator, open_machine, tmp_path):
    other, _ = make_certificate("urn:other", now(), server=True)
    simulator.certificate, own = other, simulator.certificate
    try:
        async with open_machine(simulator) as device:  # trusts the other one
            with pytest.raises(ServerUntrustedError):
                await device.read(ONE)
    finally:
        simulator.certificate = own


async def test_server_that_does_not_know_us_is_told_with_our_certificate(
    simulator, open_machine, tmp_path
):
    simulator.trusted = ()
    async with open_machine(simulator) as device:
        with pytest.raises(GatewayUntrustedError) as caught:
            await device.read(ONE)
    assert str(tmp_path / "pki" / "own" / "certificate.der") in caught.value.hint
    own = own_certificate(tmp_path / "pki", "", now())
    assert own.application_uri.startswith("urn:")


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes256Sha256RsaPss"])
async def test_every_policy_and_mode_logs_in_by_password(simulator, open_machine, policy, mode):
    security = {"security_policy": policy, "security_mode": mode}
    async with open_machine(simulator, **security, **OPERATOR) as device:
        assert await is_read(device)


async def test_wrong_password_is_refused_with_a_hint(simulator, open_machine):
    async with open_machine(simulator, user="operator", password="wrong") as device:
        with pytest.raises(DeviceRefusedError, match="BadUserAccessDenied") as caught:
            await device.read(ONE)
    assert "password" in caught.value.hint
    assert "wrong" not in str(caught.value)


async def test_password_comes_from_a_file(simulator, open_machine, tmp_path):
    (tmp_path / "password").write_text("cut-well\n")
    file = tmp_path / "password"
    async with open_machine(simulator, user="operator", password_file=file) as device:
        assert await is_read(device)


async def test_missing_password_file_is_told(simulator, open_machine, tmp_path):
    file = tmp_path / "nowhere"
    async with open_machine(simulator, user="operator", password_file=file) as device:
        with pytest.raises(DeviceRefusedError, match=r"cannot read .*nowhere"):
            await device.read(ONE)


async def test_person_logs_in_by_certificate(simulator, open_machine, tmp_path):
    own = own_certificate(tmp_path / "person", "urn:person", now())
    key = own.file.with_name("key.pem")
    login = {"user_certificate_file": own.file, "user_key_file": key}
    async with open_machine(simulator, **login) as device:
        assert await is_read(device)


@pytest.mark.parametrize(
    ("certificate", "key", "text"),
    [
        ("key.pem", "key.pem", "is no certificate"),
        ("certificate.der", "certificate.der", "no priv"),
    ],
)
async def test_wrong_file_of_a_person_is_named(  # noqa: PLR0917 - fixtures and parameters
    simulator, open_machine, own, certificate, key, text
):
    login = {"user_certificate_file": own / certificate, "user_key_file": own / key}
    async with open_machine(simulator, **login) as device:
        with pytest.raises(DeviceRefusedError, match=text) as caught:
            await device.read(ONE)
    assert "Check 'user_" in caught.value.hint


async def test_session_outlives_a_renewal_of_its_channel(simulator, open_machine, monkeypatch):
    monkeypatch.setattr("components.opcua.client.CHANNEL_S", 1.0)
    async with open_machine(simulator) as device:
        for _ in range(4):
            assert await is_read(device)
            await asyncio.sleep(0.4)
        assert len(simulator.server.iserver.asyncio_transports) == 1


async def test_no_security_reads_without_any_certificate(simulator, open_machine, tmp_path):
    async with open_machine(simulator, known=False, security_policy="None") as device:
        assert await is_read(device)
    assert [folder.name for folder in (tmp_path / "pki").iterdir()] == ["own"]


async def test_password_without_security_is_encrypted_for_a_trusted_server_only(
    simulator, open_machine, tmp_path
):
    open_line = {"security_policy": "None", **OPERATOR}
    async with open_machine(simulator, known=False, **open_line) as device:
        with pytest.raises(ServerUntrustedError):
            await device.read(ONE)
    async with open_machine(simulator, **open_line) as device:
        assert await is_read(device)


async def test_password_that_cannot_be_encrypted_is_not_sent(simulator, open_machine):
    policies = simulator.server._policies
    kept = [policy.certificate for policy in policies]
    for policy in policies:
        policy.certificate = None
    try:
        async with open_machine(simulator, security_policy="None", **OPERATOR) as device:
            with pytest.raises(DeviceRefusedError, match="shows no certificate") as caught:
                await device.read(ONE)
    finally:
        for policy, certificate in zip(policies, kept, strict=True):
            policy.certificate = certificate
    assert "SignAndEncrypt" in caught.value.hint


@pytest.mark.parametrize(
    "security", [{"security_policy": "None"}, {"security_mode": "Sign"}], ids=["None", "Sign"]
)
async def test_password_is_not_sent_in_clear(simulator, open_machine, security):
    tokens = [t for e in simulator.server.iserver.endpoints for t in e.UserIdentityTokens]
    kept = [(token, token.SecurityPolicyUri) for token in tokens]
    for token in tokens:
        token.SecurityPolicyUri = NO_SECURITY
    try:
        async with open_machine(simulator, **security, **OPERATOR) as device:
            with pytest.raises(DeviceRefusedError, match="in clear text"):
                await device.read(ONE)
    finally:
        for token, uri in kept:
            token.SecurityPolicyUri = uri


async def test_endpoint_that_is_not_offered_is_told_with_those_that_are(simulator, open_machine):
    offered = simulator.server.iserver.endpoints
    simulator.server.iserver.endpoints = offered[:1]
    try:
        async with open_machine(simulator) as device:
            with pytest.raises(DeviceRefusedError, match="does not offer Basic256Sha256") as caught:
                await device.read(ONE)
    finally:
        simulator.server.iserver.endpoints = offered
    assert "It offers None" in caught.value.hint


async def test_nobody_there_is_unreachable_with_a_hint(simulator, open_machine):
    await simulator.go()
    async with open_machine(simulator) as device:
        with pytest.raises(DeviceUnreachableError, match="cannot be reached") as caught:
            await device.read(ONE)
    assert "port" in caught.value.hint
