import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.driver import DeviceSettings
from edge_runtime.judging import Exponent, judge_point
from edge_runtime.model import Point, PointKind, Quality, Reading
from edge_runtime.normalise import Normaliser, worth_sending

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def judged(raw, exponent=None, **fields):
    return judge_point(Point(name="p", **fields), exponent)(raw)


@pytest.mark.parametrize(
    ("raw", "fields", "value"),
    [
        (21.5, {}, 21.5),
        (213, {"scale": 0.1}, 21.3),
        (2137, {"scale": 0.01, "offset": -5}, 16.37),
        (0.123456, {"decimals": 2}, 0.12),
        (7, {"kind": "integer"}, 7),
        (2**63 - 1, {"kind": "integer"}, 2**63 - 1),
        (2**60 + 1, {"kind": "integer", "scale": 2, "offset": 1}, 2**61 + 3),
        (True, {"kind": "boolean"}, True),
        (0, {"kind": "boolean"}, False),
        (0b100, {"bit": 2}, True),
        (0b100, {"bit": 1}, False),
        ("AB12", {"kind": "text"}, "AB12"),
        (12, {"kind": "text"}, "12"),
        (1, {"kind": "enumeration", "labels": {1: "running"}}, 1),
    ],
)
def test_a_good_raw_value_becomes_an_engineering_value(raw, fields, value):
    result = judged(raw, **fields)
    assert result == (value, GOOD, "")
    assert type(result[0]) is type(value)


@pytest.mark.parametrize(
    ("raw", "fields", "expected"),
    [
        (12.0, {"maximum": 10}, (10.0, UNCERTAIN, "out_of_range")),
        (-1.0, {"minimum": 0}, (0.0, UNCERTAIN, "out_of_range")),
        (3, {"kind": "enumeration", "labels": {1: "on"}}, (3, UNCERTAIN, "unknown_label")),
        (0x8000, {"sentinels": (0x8000,)}, (None, BAD, "not_implemented")),
        (0xFFFF, {"bit": 3, "sentinels": (0xFFFF,)}, (None, BAD, "not_implemented")),
        (math.nan, {}, (None, BAD, "not_implemented")),
        (math.inf, {"kind": "integer"}, (None, BAD, "not_implemented")),
        (math.nan, {"kind": "enumeration", "labels": {1: "on"}}, (None, BAD, "not_implemented")),
        ("text", {}, (None, BAD, "configuration")),
        ("text", {"kind": "boolean"}, (None, BAD, "configuration")),
        (1.5, {"bit": 0}, (None, BAD, "configuration")),
    ],
)
def test_what_cannot_be_trusted_says_why(raw, fields, expected):
    assert judged(raw, **fields) == expected


@pytest.mark.parametrize(("power", "value"), [(-2, 12.34), (0, 1234.0), (3, 1_234_000.0)])
def test_a_scale_point_gives_the_power_of_ten(power, value):
    assert judged(1234, Exponent(power), scale_point="sf") == (value, GOOD, "")


def test_without_its_scale_point_a_value_is_not_known():
    assert judged(1234, Exponent(None), scale_point="sf") == (None, BAD, "not_implemented")


NOT_SENT = [
    (5.0, 5.0, 0.0),
    (5.0, 5.4, 0.5),
    (5.0, 5.5, 0.5),
]


@pytest.mark.parametrize(("before", "now", "deadband"), NOT_SENT)
def test_within_the_deadband_nothing_is_sent(before, now, deadband):
    sent = (before, GOOD, "")
    assert not worth_sending(sent, (now, GOOD, ""), 1.0, deadband, 60.0)


@pytest.mark.parametrize(
    ("before", "judgement", "quiet_s"),
    [
        (None, (5.0, GOOD, ""), 0.0),
        ((5.0, GOOD, ""), (5.6, GOOD, ""), 1.0),
        ((5.0, GOOD, ""), (5.0, UNCERTAIN, "out_of_range"), 1.0),
        ((None, BAD, "no_answer"), (None, BAD, "device_error:2"), 1.0),
        ((5.0, GOOD, ""), (5.0, GOOD, ""), 60.0),
        ((None, BAD, "no_answer"), (None, BAD, "no_answer"), 60.0),
        (("a", GOOD, ""), ("b", GOOD, ""), 1.0),
    ],
)
def test_first_changed_and_overdue_readings_are_sent(before, judgement, quiet_s):
    assert worth_sending(before, judgement, quiet_s, 0.5, 60.0)


@pytest.fixture
def normaliser():
    points = (
        Point(name="level", scale=0.1, deadband=0.5, max_silence_s=10),
        Point(name="energy", scale_point="energy_sf"),
        Point(name="energy_sf", kind=PointKind.INTEGER),
    )
    return Normaliser(DeviceSettings(name="tank", points=points))


def test_readings_get_the_key_and_the_times(normaliser):
    raw = Reading("level", 213, source_us=7)
    (reading,) = normaliser.take([raw], 99, 0.0).readings
    assert reading == Reading("tank/level", 21.3, source_us=7, received_us=99)


def test_rules_see_what_is_not_sent(normaliser):
    normaliser.take([Reading("level", 200)], 1, 0.0)
    second = normaliser.take([Reading("level", 203)], 2, 1.0)
    assert [r.value for r in second.readings] == [20.3]
    assert second.reported == []


def test_a_slow_drift_is_sent_once_it_leaves_the_deadband(normaliser):
    sent = [
        len(normaliser.take([Reading("level", 200 + i)], i, float(i)).reported) for i in range(8)
    ]
    assert sent == [1, 0, 0, 0, 0, 0, 1, 0]


def test_a_scale_point_of_the_same_read_is_used_wherever_it_stands(normaliser):
    raw = [Reading("energy", 1234), Reading("energy_sf", -1)]
    assert normaliser.take(raw, 1, 0.0).readings[0].value == 123.4


def test_the_last_known_scale_point_is_used(normaliser):
    normaliser.take([Reading("energy_sf", 2)], 1, 0.0)
    assert normaliser.take([Reading("energy", 5)], 2, 1.0).readings[0].value == 500


@pytest.mark.parametrize("raw", [-32768, 11, "x", 1.5])
def test_a_scale_point_that_is_none_makes_the_value_unknown(normaliser, raw):
    readings = normaliser.take([Reading("energy_sf", raw), Reading("energy", 5)], 1, 0.0).readings
    assert readings[1].quality is BAD


def test_a_failed_device_is_sent_once_and_again_after_the_silence(normaliser):
    sent = [
        len(normaliser.fail(["level"], "no_answer", 1, now).reported)
        for now in (0.0, 1.0, 9.9, 10.0, 11.0)
    ]
    assert sent == [1, 0, 0, 1, 0]


def test_a_bad_reading_of_the_driver_never_carries_a_value(normaliser):
    raw = Reading("level", 5, BAD, "device_error:0x02")
    (reading,) = normaliser.take([raw], 1, 0.0).readings
    assert (reading.value, reading.reason) == (None, "device_error:0x02")


def test_the_drivers_doubt_is_kept(normaliser):
    raw = Reading("level", 5, UNCERTAIN, "stale")
    (reading,) = normaliser.take([raw], 1, 0.0).readings
    assert (reading.value, reading.quality, reading.reason) == (0.5, UNCERTAIN, "stale")


def test_after_forget_everything_is_sent_again(normaliser):
    normaliser.take([Reading("level", 200)], 1, 0.0)
    normaliser.forget()
    assert len(normaliser.take([Reading("level", 200)], 2, 1.0).reported) == 1


@given(
    raw=st.one_of(
        st.integers(-(2**63), 2**64 - 1), st.floats(), st.booleans(), st.text(max_size=3)
    ),
    kind=st.sampled_from([PointKind.INTEGER, PointKind.FLOAT]),
    scale=st.sampled_from([1.0, 0.1, 10.0, 0.125]),
    offset=st.sampled_from([0.0, -40.0, 0.5]),
    decimals=st.sampled_from([None, 0, 2]),
)
def test_the_quick_way_judges_as_the_long_one(raw, kind, scale, offset, decimals):
    fields = {"name": "p", "kind": kind, "scale": scale, "offset": offset, "decimals": decimals}
    quick = judge_point(Point(**fields))(raw)
    far = {"minimum": -1e300, "maximum": 1e300}  # limits take the long way
    slow = judge_point(Point(**fields, **far))(raw)
    if isinstance(raw, float) and abs(raw) > 1e299:
        return
    assert quick == slow
    assert type(quick[0]) is type(slow[0])
