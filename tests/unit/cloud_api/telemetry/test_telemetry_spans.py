"""Stretches of a chart."""

from datetime import UTC, datetime, timedelta

from cloud_api.telemetry.spans import (
    NO_CONTACT,
    Span,
    bad_spans,
    device_spans,
    outage_spans,
    silent_span,
    time_of,
    within,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def test_device_is_silent_between_its_events():
    events = [("device.silent", at(1), "no_answer"), ("device.back", at(3), "")]
    assert device_spans(events, at(9)) == [Span("device_silent", at(1), at(3), "no_answer")]


def test_device_that_did_not_come_back_is_silent_until_now():
    assert device_spans([("device.silent", at(1), "x")], at(9)) == [
        Span("device_silent", at(1), at(9), "x")
    ]


def test_device_that_came_back_without_having_left_is_ignored():
    assert device_spans([("device.back", at(1), "")], at(9)) == []


def test_gateway_is_silent_since_its_last_contact():
    assert silent_span(at(0), at(5)) == [Span("silent", at(0), at(5), NO_CONTACT)]
    assert silent_span(at(0), at(0) + timedelta(seconds=15)) == []
    assert silent_span(None, at(5)) == []


def test_an_outage_that_is_over_is_no_silence():
    assert outage_spans([(at(1), at(2))]) == [Span("outage", at(1), at(2), NO_CONTACT)]


def test_spans_are_cut_to_the_window():
    spans = [Span("lost", at(0), at(2)), Span("lost", at(4), at(9)), Span("lost", at(9), at(10))]
    assert within(spans, at(1), at(5)) == [Span("lost", at(1), at(2)), Span("lost", at(4), at(5))]


def test_times_are_exact_to_the_microsecond():
    assert time_of(1_795_521_600_123_457) == datetime(2026, 11, 24, 12, 0, 0, 123457, tzinfo=UTC)
    assert bad_spans([(0, 5)]) == [Span("bad", time_of(0), time_of(5))]
