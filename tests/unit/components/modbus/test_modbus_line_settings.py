import pytest
from pydantic import ValidationError

from components.modbus.line_settings import Framing, Serial
from components.modbus.plan import describe, wait_seconds
from components.modbus.settings import Settings

POINTS = [{"name": f"p{a}", "address": a} for a in range(50)]
SERIAL = {"port": "/dev/ttyUSB0", "baudrate": 9_600, "parity": "none"}


def settings_of(**fields):
    return Settings(name="device", points=POINTS, **fields)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "give 'host'"),
        ({"host": "a", "serial": SERIAL}, "leave out 'host'"),
        ({"port": 502, "serial": SERIAL}, "leave out 'port'"),
        ({"baud_rate": 9_600, "serial": SERIAL}, "leave out 'baud_rate'"),
        ({"unit": 0, "serial": SERIAL}, "unit 0 is everybody"),
        ({"unit": 0, "host": "a", "framing": "rtu"}, "unit 0 is everybody"),
        ({"unit": 248, "serial": SERIAL}, "1 to 247"),
        ({"serial": {"port": "socket://10.0.0.1:502"}}, "port"),
        ({"serial": {"port": "spy:///dev/ttyS0?file=/etc/x"}}, "port"),
        ({"serial": {**SERIAL, "stop_bits": 3}}, "stop_bits"),
        ({"host": "a", "framing": "ascii"}, "framing"),
    ],
)
def test_place_that_leads_nowhere_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        settings_of(**fields)


def test_serial_line_is_rtu_and_named_by_its_port():
    settings = settings_of(serial=SERIAL, unit=3)
    assert settings.place.framing is Framing.RTU
    assert settings.at == "/dev/ttyUSB0 unit 3"


@pytest.mark.parametrize(
    ("parity", "stop_bits", "bits"), [("none", 1, 10), ("none", 2, 11), ("even", 1, 11)]
)
def test_byte_takes_its_bits(parity, stop_bits, bits):
    serial = Serial(port="/dev/x", baudrate=9_600, parity=parity, stop_bits=stop_bits)
    assert serial.byte_seconds == bits / 9_600
    assert serial.silence_s == 3.5 * bits / 9_600


def test_silence_does_not_shrink_above_19200_baud():
    assert Serial(port="/dev/x", baudrate=115_200).silence_s == 0.00175


def test_bus_time_follows_from_the_baud_rate():
    """8 bytes out, 105 in, two silent intervals, and the device's own time."""
    [plan] = describe(settings_of(serial=SERIAL, turnaround_s=0.02), [p["name"] for p in POINTS])
    assert (plan.bytes_out, plan.bytes_in) == (8, 105)
    assert plan.seconds == pytest.approx(0.02 + (8 + 105 + 7) * 10 / 9_600)


def test_pause_of_the_line_is_part_of_the_bus_time():
    slow, quick = (
        describe(settings_of(serial={**SERIAL, "pause_s": pause_s}), ["p0"])[0].seconds
        for pause_s in (0.1, 0.0)
    )
    assert slow - quick == pytest.approx(0.1)


def test_rtu_over_tcp_sends_rtu_at_the_speed_of_the_network():
    [plan] = describe(settings_of(host="a", framing="rtu"), ["p0"])
    assert (plan.bytes_out, plan.bytes_in) == (8, 7)
    assert plan.seconds < 0.006


def test_slow_line_is_waited_for_longer():
    slow = settings_of(serial={**SERIAL, "baudrate": 1_200}, timeout_s=1)
    assert wait_seconds(slow, 250) == pytest.approx(1 + (8 + 255 + 7) * 10 / 1_200)
    assert wait_seconds(settings_of(host="a", timeout_s=1), 250) == 1
