"""The health of a point and the shape of its value."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.telemetry.latest import Health, Latest, PointHealth, health_of, value_of
from cloud_sync.wire.quality import Quality

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def latest(age_s, quality=Quality.GOOD):
    time = NOW - timedelta(seconds=age_s)
    return Latest(time, 1.0, None, quality, "", time, 1.0, None)


@pytest.mark.parametrize(
    ("newest", "health"),
    [
        (None, PointHealth.NEVER),
        (latest(68), PointHealth.GOOD),
        (latest(68, Quality.UNCERTAIN), PointHealth.UNCERTAIN),
        (latest(68, Quality.BAD), PointHealth.BAD),
        (latest(69), PointHealth.STALE),
        (latest(69, Quality.BAD), PointHealth.STALE),
    ],
)
def test_health_follows_from_age_then_quality(newest, health):
    assert health_of(newest, interval_s=1.0, max_silence_s=60.0, now=NOW) is health


@pytest.mark.parametrize(
    ("kind", "value", "text", "shown"),
    [
        ("boolean", 1.0, None, True),
        ("integer", 3.0, None, 3),
        ("enumeration", 2.0, None, 2),
        ("integer", 2.5, None, 2.5),
        ("float", 2.0, None, 2.0),
        ("float", None, None, None),
        ("text", None, "on", "on"),
    ],
)
def test_value_has_the_type_of_its_point(kind, value, text, shown):
    found = value_of(kind, value, text)
    assert (found, type(found)) == (shown, type(shown))


def test_health_of_two_groups_adds_up():
    one, other = Health(2, good=1, bad=1, newest_good_at=NOW), Health(1, never=1)
    assert one + other == Health(3, good=1, bad=1, never=1, newest_good_at=NOW)
