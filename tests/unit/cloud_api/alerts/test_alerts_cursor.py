"""The cursor of a page of alerts."""

from datetime import UTC, datetime

import pytest

from cloud_api.alerts.cursor import read_cursor, write_cursor
from cloud_api.errors import InvalidRequestError

RAISED_AT = datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC)


def test_cursor_gives_back_what_it_was_made_of():
    assert read_cursor(write_cursor(RAISED_AT, "alert 7")) == (RAISED_AT, "alert 7")


@pytest.mark.parametrize(
    "text", ["?", "AAAA", "MjAyNi0xMS0yNA", write_cursor(RAISED_AT.replace(tzinfo=None), "a"), "é"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidRequestError):
        read_cursor(text)
