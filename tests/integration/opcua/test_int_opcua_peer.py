"""The driver with a server that others wrote: node-opcua, security on."""

import asyncio
from contextlib import aclosing

import pytest

from components.opcua.driver import driver
from components.opcua.errors import GatewayUntrustedError, ServerUntrustedError
from components.opcua.trust import list_pending, trust
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from tests.contract.opcua_peers import node_opcua

NAMESPACE = "urn:peer:boiler"
NAMES = ("temperature", "pressure", "broken", "zones", "absent")
RAISE = {"name": "raise", "object": f"nsu={NAMESPACE};s=Boiler",
         "method": f"nsu={NAMESPACE};s=Raise"}  # fmt: skip


@pytest.fixture
async def peer(tmp_path_factory):
    peer = node_opcua(tmp_path_factory.getbasetemp())
    await peer.as_new()
    return peer


@pytest.fixture
async def settings(peer, pki):
    """A device that trusts the peer."""
    points = [{"name": name, "node": f"nsu={NAMESPACE};s={name}"} for name in NAMES]
    settings = driver.settings(
        name="boiler", endpoint=peer.endpoint, pki_dir=pki, interval_s=0.1,
        timeout_s=3, points=points, methods=[RAISE],
    )  # fmt: skip
    async with driver.open_device(settings) as device:
        with pytest.raises(ServerUntrustedError):
            await device.read(["temperature"])
    [pending] = list_pending(settings.pki_dir)
    trust(settings.pki_dir, pending.thumbprint)
    return settings


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes256Sha256RsaPss"])
async def test_password_is_taken_under_every_policy_and_mode(settings, policy, mode):
    fields = settings.model_dump() | {
        "security_policy": policy, "security_mode": mode, "user": "operator",
        "password": "boil-well",
    }  # fmt: skip
    async with driver.open_device(driver.settings(**fields)) as device:
        [reading] = await device.read(["temperature"])
    assert (reading.value, reading.quality) == (61.5, Quality.GOOD)


async def test_first_connect_to_a_server_that_does_not_know_us_names_our_certificate(
    settings, peer, tmp_path
):
    stranger = settings.model_copy(update={"pki_dir": tmp_path / "stranger"})
    (
        tmp_path / "stranger"
    ).mkdir()  # another gateway, which knows the server but is not known to it
    (settings.pki_dir / "trusted").rename(tmp_path / "stranger" / "trusted")
    await peer.tell("strict")
    async with driver.open_device(stranger) as device:
        with pytest.raises(GatewayUntrustedError) as caught:
            await device.read(["temperature"])
    assert str(tmp_path / "stranger" / "own" / "certificate.der") in caught.value.hint


async def test_bad_nodes_leave_the_rest_alone(settings):
    async with driver.open_device(settings) as device:
        readings = {r.point: (r.value, r.reason) for r in await device.read(NAMES)}
    assert readings == {
        "temperature": (61.5, ""),
        "pressure": (2.25, ""),
        "broken": (None, "device_error:BadSensorFailure"),
        "zones": (None, "configuration:array"),
        "absent": (None, "device_error:BadNodeIdUnknown"),
    }


async def test_reports_end_when_the_server_goes_and_begin_when_it_is_back(settings, peer):
    async with driver.open_device(settings) as device:
        async with asyncio.timeout(8), aclosing(device.changes(NAMES)) as changes:
            await anext(changes)
            await peer.tell("lose")
            with pytest.raises(DeviceUnreachableError):
                async for _ in changes:
                    pass
        await peer.tell("restore")
        heard = {}
        async with asyncio.timeout(8), aclosing(device.changes(NAMES)) as changes:
            async for news in changes:
                heard |= {r.point: r.value for r in news.readings}
                if len(heard) == len(NAMES):
                    break
    assert heard["temperature"] == 61.5


async def test_method_gives_its_result_or_the_refusal(settings):
    async with driver.open_device(settings) as device:
        assert await device.invoke("raise", [1]) == [3.25]
        with pytest.raises(DeviceRefusedError, match="BadOutOfRange"):
            await device.invoke("raise", [101])
