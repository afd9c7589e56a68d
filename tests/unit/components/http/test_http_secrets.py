"""Secrets out of files, and what is said of files that hold none."""

import pytest

from components.http.secrets import read_secret, request_headers
from components.http.settings import Settings
from edge_runtime.errors import DeviceRefusedError

POINTS = [{"name": "power", "json_path": "$.power"}]


def settings_of(**fields):
    return Settings(name="heater", url="https://10.0.0.7", points=POINTS, **fields)


def test_token_is_read_without_its_line_end(tmp_path):
    (tmp_path / "token").write_text("abc\n")
    assert read_secret(None, tmp_path / "token") == "abc"
    headers = request_headers(settings_of(token_file=tmp_path / "token"))
    assert headers == {"Authorization": "Bearer abc"}


def test_name_and_password_are_basic_authentication(tmp_path):
    (tmp_path / "password").write_text("hunter2")
    headers = request_headers(settings_of(username="me", password_file=tmp_path / "password"))
    assert headers == {"Authorization": "Basic bWU6aHVudGVyMg=="}


def test_secret_headers_join_the_plain_ones(tmp_path):
    (tmp_path / "headers").write_text("X-Api-Key: a:b\n\nCookie: c=d\n")
    settings = settings_of(headers={"X-Site": "one"}, headers_file=tmp_path / "headers")
    assert request_headers(settings) == {"X-Site": "one", "X-Api-Key": "a:b", "Cookie": "c=d"}


@pytest.mark.parametrize("text", ["no colon", "a b: c", ": x", "X-Key: ä", "X-Key: a\x00b"])
def test_what_is_no_header_is_refused(tmp_path, text):
    (tmp_path / "headers").write_text(text)
    with pytest.raises(DeviceRefusedError) as caught:
        request_headers(settings_of(headers_file=tmp_path / "headers"))
    assert caught.value.hint
    assert "a\x00b" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b" \n", b"\xff\xfe", b"x" * 5_000])
def test_file_without_a_secret_is_refused(tmp_path, data):
    (tmp_path / "token").write_bytes(data)
    with pytest.raises(DeviceRefusedError, match="token"):
        read_secret(None, tmp_path / "token")
