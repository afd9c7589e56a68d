"""What the driver makes of devices that answer, and of those that misbehave."""

import pytest
import yaml

from components.http.driver import driver
from edge_runtime.discovery import Found, ScanTarget
from edge_runtime.driver import Inspectable, Writable
from edge_runtime.errors import (
    DeviceRefusedError,
    DeviceUnreachableError,
    SettingsError,
)
from edge_runtime.model import Quality
from edge_runtime.profiles.loader import built_in_folder
from simulators.http import faults
from simulators.http.heat_pump import HeatPump
from simulators.http.server import Reply, WebDevice, json_reply, serve
from tests.integration.http.certificates import server_tls

TIMEOUT_S = 0.3
POINTS = [
    {"name": "flow", "json_path": "$.temperatures.flow"},
    {"name": "firmware", "kind": "text", "path": "/api/v1/firmware"},
]


@pytest.fixture
def pump():
    return WebDevice(HeatPump())


@pytest.fixture
async def port(pump):
    async with serve(pump) as port:
        yield port


def settings_of(port, points=POINTS, **fields):
    return driver.settings(
        **{"name": "pump", "url": f"http://127.0.0.1:{port}", "path": "/api/v1/status",
           "timeout_s": TIMEOUT_S, "points": points} | fields
    )  # fmt: skip


async def read(settings, names=None):
    async with driver.open_device(settings) as device:
        readings = await device.read(names or [p.name for p in settings.points])
    return {reading.point: reading for reading in readings}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.Silence(), "no_answer"),
        (faults.Slow(1.0), "no_answer"),
        (faults.HangUp(), "no_answer"),
        (faults.Half(), "no_answer"),
        (faults.Garbage(), "no_answer"),
        (faults.WrongLength(+20), "no_answer"),
        (faults.WrongLength(-20), "device_error:wrong_answer"),
        (faults.Truncated(), "device_error:wrong_answer"),
        (faults.Body(b"<html>log in</html>", "text/html"), "device_error:wrong_answer"),
        (faults.Body(b'{"temperatures": {"flow": NaN}}'), "device_error:wrong_answer"),
        (faults.Body(b"[" * 10_000), "device_error:wrong_answer"),
        (faults.Body(b"1" * 300_000), "device_error:too_long"),
        (faults.Status(500), "device_error:500"),
        (faults.Status(403), "device_error:403"),
        (faults.Status(204), "device_error:wrong_answer"),
        (faults.Status(304), "device_error:304"),
        (faults.Status(302, "Location: http://192.0.2.1/\r\n"), "device_error:redirect"),
        (faults.Status(302, "Location: /api/v1/status\r\n"), "device_error:redirects"),
        (faults.Status(200, "Content-Encoding: gzip\r\n"), "device_error:encoding"),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, faults.Fault) else x,
)
async def test_fault_of_one_resource_spoils_its_points_alone(pump, port, fault, reason):
    pump.faults["/api/v1/status"] = fault
    readings = await read(settings_of(port))
    assert readings["flow"].reason == reason
    assert readings["firmware"].value == "2.14.3\n"


@pytest.mark.parametrize("fault", [faults.Silence(), faults.HangUp(), faults.Garbage()])
async def test_device_that_never_answers_is_unreachable(pump, port, fault):
    pump.faults["*"] = fault
    with pytest.raises(DeviceUnreachableError) as caught:
        await read(settings_of(port))
    assert caught.value.hint


async def test_wrong_login_is_refused_with_a_hint_and_the_right_one_is_taken(pump, port, tmp_path):
    pump.authorization = "Basic bWU6aHVudGVyMg=="
    with pytest.raises(DeviceRefusedError) as caught:
        await read(settings_of(port))
    assert "password" in caught.value.hint
    (tmp_path / "password").write_text("hunter2\n")
    login = {"username": "me", "password_file": tmp_path / "password"}
    assert (await read(settings_of(port, **login)))["flow"].quality is Quality.GOOD


async def test_secret_that_cannot_be_read_is_refused(port, tmp_path):
    with pytest.raises(DeviceRefusedError, match="cannot be read"):
        await read(settings_of(port, token_file=tmp_path / "none"))


async def test_device_that_wants_to_be_left_alone_is(pump, port):
    pump.faults["*"] = faults.Status(429, "Retry-After: 30\r\n")
    await read(settings_of(port), ["flow"])
    asked = len(pump.asked)
    pump.faults.clear()
    with pytest.raises(DeviceRefusedError, match="left alone for 30 s more"):
        await read(settings_of(port), ["flow"])
    assert len(pump.asked) == asked


async def test_connection_is_kept_and_shared(pump, port):
    one, two = settings_of(port), settings_of(port, name="other")
    async with driver.open_device(one) as first, driver.open_device(two) as second:
        for device in (first, second, first):
            await device.read(["flow", "firmware"])
    assert pump.connections == 1


async def test_unchanged_answer_is_not_sent_again(port, pump):
    settings = settings_of(port, use_etag=True)
    async with driver.open_device(settings) as device:
        first = await device.read(["firmware"])
        assert await device.read(["firmware"]) == first
    assert pump.asked[-1].headers["if-none-match"]


class Moved:
    """A device whose resource has moved on itself."""

    def advance(self, t, dt, of_day):
        pass

    def answer(self, method, path, body) -> Reply | None:
        return json_reply({"temperatures": {"flow": 3}}) if path == "/new" else None


async def test_redirect_on_the_same_host_is_followed():
    device = WebDevice(Moved(), faults={"/old": faults.Status(301, "Location: /new\r\n")})
    async with serve(device) as port:
        assert (await read(settings_of(port, POINTS[:1], path="/old")))["flow"].value == 3


async def test_redirect_to_no_address_is_only_a_bad_point(pump):
    pump.faults["/old"] = faults.Status(302, "Location: http://[\r\n")
    async with serve(pump) as port:
        points = [*POINTS, {"name": "moved", "path": "/old"}]
        readings = await read(settings_of(port, points))
    assert readings["moved"].reason == "device_error:redirect"
    assert readings["flow"].quality is Quality.GOOD


async def test_no_cookie_is_kept(pump):
    pump.faults["/api/v1/firmware"] = faults.Status(200, "Set-Cookie: a=b\r\n")
    async with serve(pump) as port, driver.open_device(settings_of(port)) as device:
        for _ in range(2):
            await device.read(["flow", "firmware"])
    assert len(pump.asked) == 4
    assert not any("cookie" in asked.headers for asked in pump.asked)


async def test_certificate_must_be_trusted(pump, tmp_path):
    authority, tls = server_tls(tmp_path)
    async with serve(pump, tls=tls) as port:
        url = f"https://localhost:{port}"
        with pytest.raises(DeviceUnreachableError, match="not trusted"):
            await read(settings_of(port, url=url))
        readings = await read(settings_of(port, url=url, ca_file=authority))
    assert readings["flow"].quality is Quality.GOOD


async def test_demo_profile_fits_the_simulator(port):
    profile = yaml.safe_load((built_in_folder() / "demo-heat-pump.yaml").read_text())
    own = {"name": "pump", "url": f"http://127.0.0.1:{port}", "points": profile["points"]}
    readings = await read(driver.settings(**profile["defaults"], **own))
    assert len(readings) == len(profile["points"])
    assert not {name for name, r in readings.items() if r.quality is not Quality.GOOD}


async def test_write_is_taken_or_refused_with_the_status(port):
    write = {"path": "/api/v1/settings", "body": {"flow_set_point": "{value}"}}
    point = {
        "name": "set",
        "path": "/api/v1/settings",
        "json_path": "$.flow_set_point",
        "write": write,
    }
    settings = settings_of(port, [point, *POINTS])
    async with driver.open_device(settings) as device:
        assert isinstance(device, Writable)
        await device.write("set", 41.5)
        [reading] = await device.read(["set"])
        assert reading.value == 41.5
        with pytest.raises(DeviceRefusedError, match="422"):
            await device.write("set", 999)


@pytest.mark.parametrize("value", ["warm", True])
async def test_value_of_another_type_is_not_sent(pump, port, value):
    write = {"path": "/api/v1/settings"}
    settings = settings_of(port, [{"name": "set", "json_path": "$.x", "write": write}])
    async with driver.open_device(settings) as device:
        with pytest.raises(DeviceRefusedError, match="float"):
            await device.write("set", value)
    assert not pump.asked


async def test_device_without_writable_points_is_not_writable(port):
    async with driver.open_device(settings_of(port)) as device:
        assert not isinstance(device, Writable)


async def test_inspection_shows_request_and_path(port):
    async with driver.open_device(settings_of(port)) as device:
        assert isinstance(device, Inspectable)
        [one, two] = await device.inspect(["flow", "firmware"])
    assert one.shown == "GET /api/v1/status $.temperatures.flow"
    assert two.data == b'"2.14.3\\n"'


async def test_probe_proposes_what_can_be_read(port):
    targets = (f"http://127.0.0.1:{port}/api/v1/status", "http://127.0.0.1:1", "10.0.0.0/24")
    target = ScanTarget(targets, timeout_s=TIMEOUT_S)
    [found] = [item async for item in driver.discover(target) if isinstance(item, Found)]
    settings = driver.settings(
        name="found",
        points=found.points,
        **{key: value for key, value in found.settings.items() if key != "protocol"},
    )
    readings = await read(settings)
    assert {r.point: r.value for r in found.values}.keys() == readings.keys()
    assert all(reading.quality is Quality.GOOD for reading in readings.values())


@pytest.mark.parametrize("target", ["http://", "10.0.0.0/24", "http://a b/", "https://x:99999"])
async def test_probe_of_no_address_is_told(target):
    with pytest.raises(SettingsError) as caught:
        [item async for item in driver.discover(ScanTarget((target,)))]
    assert caught.value.hint


async def test_connection_that_is_dropped_every_other_time_costs_no_reading(pump, port):
    pump.faults["*"] = faults.Flapping()
    async with driver.open_device(settings_of(port)) as device:
        for _ in range(3):
            assert (await device.read(["flow"]))[0].quality is Quality.GOOD
