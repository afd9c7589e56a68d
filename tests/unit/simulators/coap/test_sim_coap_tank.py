import json

import pytest

from components.payloads.senml import decode_cbor, decode_json
from simulators.coap.rain_tank import CAPACITY_L, RainTank
from simulators.coap.server import CoapDevice

GET, PUT, DELETE = 1, 3, 4


@pytest.fixture
def tank():
    tank = RainTank()
    for second in range(600):
        tank.advance(second, 1.0, 8 * 3600.0 + second)
    return tank


def test_values_move_and_stay_believable(tank):
    before = tank.litres
    for second in range(600, 4_200):
        tank.advance(second, 1.0, 8 * 3600.0 + second)
    assert tank.litres != before
    assert 0 <= tank.litres <= CAPACITY_L
    assert -20 < float(tank.resources()["/sensors/temperature"].get()) < 40


def test_pack_is_the_same_in_json_and_cbor(tank):
    resources = tank.resources()
    as_json = decode_json(resources["/tank"].get(), now_us=0)
    assert as_json == decode_cbor(resources["/tank.cbor"].get(), now_us=0)
    assert [record.name.rpartition(":")[2] for record in as_json] == ["level", "volume", "low"]
    assert json.loads(resources["/status"].get())["firmware"] == "2.4.1"


def test_same_seed_gives_the_same_tank():
    one, two = RainTank(3), RainTank(3)
    for tank in (one, two):
        tank.advance(1.0, 1.0, 0.0)
    assert one.resources()["/tank"].get() == two.resources()["/tank"].get()


@pytest.mark.parametrize(
    ("path", "payload", "code", "now"),
    [
        ("/pump", b"off", 0x44, b"off"),
        ("/pump", b"maybe", 0x80, b"on"),
        ("/settings/low-limit", b"900", 0x44, b"900"),
        ("/settings/low-limit", b"7000", 0x80, b"800"),
        ("/settings/low-limit", b"x", 0x80, b"800"),
    ],
)
def test_what_may_be_written_is_taken(tank, path, payload, code, now):
    device = CoapDevice(tank.resources())
    assert device.answer(PUT, path, payload).code == code
    assert device.answer(GET, path, b"").payload == now


def test_other_requests_are_refused(tank):
    device = CoapDevice(tank.resources())
    assert device.answer(PUT, "/tank", b"").code == 0x85
    assert device.answer(DELETE, "/tank", b"").code == 0x85
    assert device.answer(GET, "/nowhere", b"").code == 0x84
