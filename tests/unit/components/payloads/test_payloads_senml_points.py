import pytest

from components.payloads.senml import Record
from components.payloads.senml_points import Wanted, match_records, newest, wanted_unit
from components.payloads.senml_units import units_agree
from edge_runtime.model import Point, Quality, Reading


@pytest.mark.parametrize(
    ("senml", "ucum", "agree"),
    [
        ("Cel", "Cel", True), ("Cel", "K", False), ("K", "Cel", False), ("%RH", "%", True),
        ("/", "1", True), ("kWh", "kW.h", True), ("Wh", "kW.h", False), ("", "Cel", True),
        ("K", "", True), ("kW.h", "kW.h", True), ("count", "{pulses}", True), ("l", "L", True),
        ("1/min", "/min", True), ("1/min", "{rev}/min", False), ("V", "mV", False),
    ],
)  # fmt: skip
def test_units_are_compared_and_never_converted(senml, ucum, agree):
    assert units_agree(senml, ucum) is agree


def test_records_become_the_readings_of_their_points():
    matched = match_records(
        [Record("a/t", "Cel", 21.5, time_us=7), Record("a/x", "", 1), Record("a/x", "", 2)],
        [Wanted("temperature", "a/t", "Cel"), Wanted("again", "a/t")],
    )
    assert matched.readings == [
        Reading("temperature", 21.5, source_us=7),
        Reading("again", 21.5, source_us=7),
    ]
    assert matched.unknown == ("a/x",)


@pytest.mark.parametrize(
    ("record", "wanted", "reason"),
    [
        (Record("r", "K", 294.0), Wanted("p", "r", "Cel"), "configuration:unit K, not Cel"),
        (Record("r", "W", None, 5.0), Wanted("p", "r", "W"), "configuration:a sum and no value"),
        (Record("r", "W", 5.0), Wanted("p", "r", "J", sum=True), "configuration:no sum"),
        (
            Record("r", "", "x" * 1_001),
            Wanted("p", "r"),
            "configuration:a text of more than 1000 characters",
        ),
        (
            Record("r", "", b"x" * 501),
            Wanted("p", "r"),
            "configuration:a text of more than 1000 characters",
        ),
    ],
)
def test_record_that_does_not_fit_is_a_bad_reading(record, wanted, reason):
    [reading] = match_records([record], [wanted]).readings
    assert (reading.value, reading.quality, reading.reason) == (None, Quality.BAD, reason)


def test_sum_and_data_become_values():
    records = [Record("r", "W", None, 5.0), Record("d", "", b"\x01\xff")]
    matched = match_records(records, [Wanted("energy", "r", "J", sum=True), Wanted("id", "d")])
    assert [reading.value for reading in matched.readings] == [5.0, "01ff"]


def test_newest_of_a_series_is_kept():
    series = [
        Reading("p", 1, source_us=5),
        Reading("p", 2, source_us=9),
        Reading("p", 3, source_us=7),
    ]
    assert newest(series)["p"].value == 2
    assert newest([Reading("p", 1), Reading("p", 2)])["p"].value == 2


def test_scaled_point_says_nothing_of_the_raw_unit():
    assert wanted_unit(Point(name="t", unit="Cel")) == "Cel"
    assert wanted_unit(Point(name="t", unit="Cel", scale=0.1)) == ""
