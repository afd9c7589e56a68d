"""The connection to a broker: who gets in, what is refused, TLS, loss, sharing."""

import asyncio
import json
import socket

import pytest
from mqtt_field import PLUGIN, broker, hearing, publish, settings

from components.mqtt.broker import shared_broker
from components.mqtt.driver import driver
from components.mqtt.errors import ACL_HINT, LOGIN_HINT, TLS_HINT, BrokerRefusedError
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.mqtt.broker import ServerTls
from simulators.mqtt.small_broker import run_small_broker
from tests.integration.http.certificates import write_certificate

VERSIONS = pytest.mark.parametrize("version", ["3.1.1", "5.0"])


async def read(made):
    async with driver.open_device(made) as device:
        return await device.read([point.name for point in made.points])


@VERSIONS
async def test_user_with_a_password_gets_in(version, tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    login = {"username": "gw", "password_file": tmp_path / "password", "version": version}
    async with broker(users={"gw": "s3cret"}) as port:
        await publish(port, "t", "7", "-r", "-u", "gw", "-P", "s3cret")
        [reading] = await read(settings(port, "t", **login))
    assert reading.value == 7


@VERSIONS
async def test_wrong_password_is_refused_with_a_hint(version, tmp_path):
    (tmp_path / "password").write_text("wrong")
    login = {"username": "gw", "password_file": tmp_path / "password", "version": version}
    async with broker(users={"gw": "s3cret"}) as port:
        with pytest.raises(DeviceRefusedError, match="refused the connection") as caught:
            await read(settings(port, "t", **login))
    assert caught.value.hint in {LOGIN_HINT, ACL_HINT}
    assert "wrong" not in str(caught.value)


async def test_missing_password_file_is_named(tmp_path):
    made = settings(1, "t", username="gw", password_file=tmp_path / "none")
    with pytest.raises(DeviceUnreachableError, match=r"none: No such file") as caught:
        await read(made)
    assert "files" in caught.value.hint


async def test_version_that_the_broker_does_not_speak_is_told():
    async with run_small_broker() as port:
        with pytest.raises(DeviceRefusedError, match="version") as caught:
            await read(settings(port, "t", version="5.0"))
    assert "3.1.1" in caught.value.hint


# --- TLS ------------------------------------------------------------------------------------------


@VERSIONS
async def test_broker_with_a_certificate_that_we_trust(version, tmp_path):
    certificate, key = write_certificate(tmp_path)
    async with broker(tls=ServerTls(certificate, key)) as port:
        made = settings(port, "t", host="localhost", tls={"ca_file": certificate}, version=version)
        await publish(port, "t", "7", "-r", "--cafile", str(certificate), "-h", "localhost")
        [reading] = await read(made)
    assert reading.value == 7
    assert made.at.startswith("mqtts://localhost")


async def test_broker_that_nobody_vouches_for_is_refused(tmp_path):
    certificate, key = write_certificate(tmp_path)
    async with broker(tls=ServerTls(certificate, key)) as port:
        with pytest.raises(DeviceUnreachableError, match=r"self.signed certificate") as caught:
            await read(settings(port, "t", host="localhost", tls={}))
    assert caught.value.hint == TLS_HINT


async def test_certificate_for_another_host_is_refused(tmp_path):
    certificate, key = write_certificate(tmp_path)
    async with broker(tls=ServerTls(certificate, key)) as port:
        with pytest.raises(DeviceUnreachableError, match=r"127\.0\.0\.1"):
            await read(settings(port, "t", tls={"ca_file": certificate}))


async def test_our_certificate_is_our_login(tmp_path):
    certificate, key = write_certificate(tmp_path)
    tls = {"ca_file": certificate, "certificate_file": certificate, "key_file": key}
    more = ["use_identity_as_username true"]
    async with broker(tls=ServerTls(certificate, key, ca_file=certificate), more=more) as port:
        made = settings(port, "t", host="localhost", tls=tls)
        assert (await read(made))[0].reason == "no_answer"
        with pytest.raises(DeviceUnreachableError):
            await read(settings(port, "t", host="localhost", tls={"ca_file": certificate}))


# --- what the broker refuses ------------------------------------------------------------------------


@pytest.fixture
async def strict(tmp_path):
    """A broker that lets nobody subscribe below ``secret``."""
    if not PLUGIN.exists():
        pytest.skip(f"needs {PLUGIN.name} (Debian: mosquitto; `make packages`)")
    rule = {"acltype": "subscribePattern", "topic": "secret/#", "allow": False}
    config = {
        "defaultACLAccess": {
            "publishClientSend": True, "publishClientReceive": True, "subscribe": True,
            "unsubscribe": True,
        },
        "roles": [{"rolename": "all", "acls": [rule]}],
        "groups": [{"groupname": "anybody", "roles": [{"rolename": "all"}]}],
        "anonymousGroup": "anybody",
    }  # fmt: skip
    file = tmp_path / "security.json"
    file.write_text(json.dumps(config))
    more = [f"plugin {PLUGIN}", f"plugin_opt_config_file {file}"]
    async with broker(more=more) as port:
        yield port


@VERSIONS
async def test_denied_subscription_spoils_its_points_only(strict, version):
    await publish(strict, "open/t", "7", "-r")
    readings = await read(settings(strict, "open/t", "secret/t", version=version))
    assert readings[0].value == 7
    assert readings[1].quality is Quality.BAD
    assert readings[1].reason.startswith("device_error:")


@VERSIONS
async def test_denied_subscriptions_alone_are_refused_by_name(strict, version):
    made = settings(strict, "secret/+/t", version=version)
    with pytest.raises(DeviceRefusedError, match=r"refused 'secret/\+/t'") as caught:
        await read(made)
    assert caught.value.hint == ACL_HINT
    async with hearing(made) as (_, ear):
        await ear.until(lambda ear: ear.trouble)
    assert isinstance(ear.trouble, BrokerRefusedError)


COMMAND = {"name": "p", "topic": "state", "command": {"topic": "cmd"}}
ACL = ["topic read #", "topic write state"]


async def test_denied_publish_is_refused_with_5():
    async with (
        broker(acl=ACL) as port,
        driver.open_device(settings(port, COMMAND, version="5.0")) as device,
    ):
        with pytest.raises(DeviceRefusedError, match=r"'cmd': Not authorized \(0x87\)"):
            await device.write("p", 1)


async def test_denied_publish_looks_like_success_with_311():
    async with broker(acl=ACL) as port, driver.open_device(settings(port, COMMAND)) as device:
        await device.write("p", 1)  # the standard has no way to say no: docs/protocols/mqtt.md


async def test_command_that_nobody_hears_is_an_error_with_5():
    async with (
        broker() as port,
        driver.open_device(settings(port, COMMAND, version="5.0")) as device,
    ):
        with pytest.raises(DeviceUnreachableError, match="nobody listens on 'cmd'"):
            await device.write("p", 1)


# --- loss and sharing -------------------------------------------------------------------------------


@VERSIONS
async def test_broker_that_goes_ends_the_reports(version):
    async with broker() as port, hearing(settings(port, "t", version=version)) as (device, ear):
        await publish(port, "t", "1", "-r")
        await ear.value("p0", 1)
        device._broker._client._client.socket().shutdown(socket.SHUT_RDWR)
        await ear.until(lambda ear: ear.trouble)
    assert isinstance(ear.trouble, DeviceUnreachableError)


async def test_devices_of_one_broker_share_a_connection():
    async with broker() as port:
        one = settings(port, "a/{device}", name="one")
        two = settings(port, "a/{device}", name="two")
        async with hearing(one) as (first, ear1), hearing(two) as (second, ear2):
            await ear1.until(lambda _: first._session)
            await ear2.until(lambda _: second._session) if not second._session else None
            assert first._broker is second._broker
            assert first._session == second._session
            await publish(port, "a/one", "1")
            await publish(port, "a/two", "2")
            await ear1.value("p0", 1)
            await ear2.value("p0", 2)
        assert not [r for r in ear1.readings if r.value == 2]


async def test_device_that_leaves_takes_only_its_own_filters():
    async with broker() as port:
        stays, goes = settings(port, "a/t", name="one"), settings(port, "a/t", "b/t", name="two")
        async with hearing(stays) as (_, ear):
            assert len(await read(goes)) == 2
            await publish(port, "a/t", "1")
            await ear.value("p0", 1)


async def test_second_try_of_the_same_moment_does_not_wait_again():
    loop = asyncio.get_running_loop()
    made = settings(1, "t").broker
    async with shared_broker(made) as shared:
        start = loop.time()
        tries = await asyncio.gather(
            *(shared.connect(1) for _ in range(20)), return_exceptions=True
        )
        assert all(isinstance(error, DeviceUnreachableError) for error in tries)
        assert shared._failures == 1
        assert loop.time() - start < 1


async def test_messages_kept_for_us_arrive_when_we_return():
    keeping = {"client_id": "gw-1", "clean_start": False, "qos": 1}
    async with broker() as port:
        for version in ("3.1.1", "5.0"):
            made = settings(port, "t", **keeping, version=version)
            await read(made)
            await publish(port, "t", version[0], "-q", "1")
            assert (await read(made))[0].value == int(version[0])


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\xff\xff\xff\xff"]
)
async def test_service_that_is_no_broker_is_unreachable_in_time(said):
    hung_up = asyncio.Event()

    async def answer(reader, writer):
        writer.write(said)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(DeviceUnreachableError) as caught:
        await read(settings(port, "t", timeout_s=0.3))
    assert caught.value.hint
    await hung_up.wait()
    server.close()
    await server.wait_closed()
