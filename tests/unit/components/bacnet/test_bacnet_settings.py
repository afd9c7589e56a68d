"""What an installer may write, and what he is told."""

import pytest
from pydantic import ValidationError

from components.bacnet.driver import driver
from components.bacnet.locate import key_of, terms_of
from components.bacnet.settings import Point, Settings, parse_object, ref_of, reports

POINT = {"name": "a", "object": "analog-input,1"}


def settings(**fields):
    return Settings(**{"name": "device", "host": "192.0.2.1", "points": [POINT]} | fields)


@pytest.mark.parametrize(
    ("text", "place"),
    [("analog-input,1", (0, 1)), ("device:7", (8, 7)), ("128,4194302", (128, 4_194_302))],
)
def test_object_is_a_type_and_an_instance(text, place):
    assert parse_object(text) == place


@pytest.mark.parametrize("text", ["", "analog-input", "analog-input,x", "analogue,1", "0,4194303", "1024,1"])  # fmt: skip
def test_wrong_object_is_told(text):
    with pytest.raises(ValidationError, match="is no object"):
        Point(name="a", object=text)


def test_property_may_be_a_vendors_own():
    assert ref_of(Point(**POINT, property="512")).property == 512
    with pytest.raises(ValidationError, match="is no property"):
        Point(**POINT, property="value")


def test_priority_six_is_the_devices_own():
    with pytest.raises(ValidationError, match="minimum on and off times"):
        Point(**POINT, priority=6)
    with pytest.raises(ValidationError):
        Point(**POINT, priority=17)


def test_device_needs_an_instance_or_an_address():
    with pytest.raises(ValidationError, match="give 'device_instance', 'host', or both"):
        settings(host="")
    assert settings(host="", device_instance=7).at == "device 7"


@pytest.mark.parametrize("host", ["a b", "192.0.2.1:x", "192.0.2.1:99999", "http://a"])
def test_wrong_address_is_told(host):
    with pytest.raises(ValidationError, match="is no address"):
        settings(host=host)


def test_wrong_interface_is_told():
    with pytest.raises(ValidationError, match=r"such as 192\.0\.2\.5/24"):
        settings(local_address="eth0")


def test_port_is_bacnets_own_only_where_broadcasts_must_be_heard():
    assert settings().port == 0
    assert settings(host="", device_instance=7).port == 47_808
    assert settings(host="", device_instance=7, foreign={"bbmd": "192.0.2.9"}).port == 0
    assert settings(local_port=47_809).port == 47_809


def test_devices_behind_the_same_interface_share_a_key():
    assert key_of(settings()) == key_of(settings(host="192.0.2.2"))
    assert key_of(settings()) != key_of(settings(local_address="192.0.2.5/24"))


def test_all_tries_together_take_the_timeout():
    terms = terms_of(settings(timeout_s=3, retries=2))
    assert (terms.wait_s, terms.retries) == (1.0, 2)


def test_reported_points_are_promised_with_each_sign_of_life():
    found = settings(confirm_s=20, interval_s=1, timeout_s=3)
    assert found.promised_s(found.points[0]) == 63
    polled = settings(points=[POINT | {"cov": False}], timeout_s=3)
    assert polled.promised_s(polled.points[0]) == 6
    assert settings(stale_after_s=5).promised_s(found.points[0]) == 5


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, True), ({"cov": False}, False), ({"property": "description"}, False),
        ({"property": "description", "cov": True}, True), ({"object": "schedule,1"}, False),
        ({"object": "accumulator,1", "cov": True}, True),
    ],
)  # fmt: skip
def test_auto_asks_for_reports_of_values_that_have_them(fields, asked):
    assert reports(Point(**POINT | fields)) is asked


def test_driver_can_look_for_devices():
    assert driver.discover is not None
    assert driver.connection(settings()) == "bacnet 192.0.2.1"
