"""Which settings go together, and what is said of those that do not."""

import pytest
from pydantic import ValidationError

from components.http.driver import driver
from components.http.polled import write_request
from components.http.settings import Point, Settings, Write

TOKEN = "0123456789abcdef"
POINTS = [{"name": "power", "json_path": "$.power"}]
POLLED = {"name": "heater", "url": "https://10.0.0.7/api", "points": POINTS}
POSTING = {"name": "sensor", "listen": "127.0.0.1:8088", "token": TOKEN, "points": POINTS}


@pytest.mark.parametrize(
    "url", ["http://10.0.0.7", "https://heater.local:8443/api/", "http://[::1]:80"]
)
def test_url_is_taken_without_its_last_slash(url):
    assert Settings(**{**POLLED, "url": url}).url == url.rstrip("/")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({**POLLED, "url": "ftp://10.0.0.7"}, "no address"),
        ({**POLLED, "url": "http://10.0.0.7:99999"}, "no address"),
        ({**POLLED, "url": "http://me:secret@10.0.0.7"}, "use 'username'"),
        ({**POLLED, "listen": "127.0.0.1:80"}, "'url' for a device that is polled, or 'listen'"),
        ({"name": "a", "points": POINTS}, "'url' for a device that is polled, or 'listen'"),
        ({**POLLED, "max_posts_per_s": 3}, "'max_posts_per_s': not for a device that is polled"),
        ({**POSTING, "use_etag": True}, "'use_etag': not for a device that posts"),
        ({**POLLED, "url": "http://10.0.0.7", "token": "x"}, "would travel unencrypted"),
        ({**POLLED, "username": "me"}, "needs 'password'"),
        ({**POLLED, "token": "x", "token_file": "y"}, "not both"),
        ({**POLLED, "headers": {"Authorization": "Bearer x"}}, "is a secret"),
        ({**POLLED, "headers": {"X-A": "b\r\nX-C: d"}}, "make no header"),
        ({**POLLED, "post": {"/rpc": {}}}, "must be one that a point has"),
        ({**POLLED, "points": [{"name": "a", "json_path": "power"}]}, "is no JSONPath"),
        ({**POLLED, "points": [{"name": "a", "json_path": "$", "record": "x"}]}, "not both"),
        ({**POLLED, "time_path": "$["}, "is no JSONPath"),
        ({**POLLED, "points": [{"name": "a", "map": {True: 1}}]}, "in quotes"),
        ({**POSTING, "token": "short"}, "needs 16 characters"),
        ({**POSTING, "token": None}, "needs 'token'"),
        ({**POSTING, "listen": "0.0.0.0:8088"}, "tokens would travel unencrypted"),
        ({**POSTING, "listen": "8088"}, "no address to listen on"),
        ({**POSTING, "listen": "127.0.0.1:80880"}, "no address to listen on"),
        ({**POSTING, "certificate_file": "c.pem"}, "belong together"),
        ({**POSTING, "points": [{"name": "a"}]}, "needs 'json_path' or 'record'"),
        ({**POSTING, "points": [{"name": "a", "json_path": "$", "path": "/x"}]}, "for polled devices"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(fields, told):
    with pytest.raises(ValidationError, match=told):
        Settings(**fields)


def test_secrets_may_travel_plainly_where_somebody_says_so():
    assert Settings(**{**POLLED, "url": "http://10.0.0.7", "token": "x", "insecure": True})
    assert Settings(**{**POSTING, "listen": "0.0.0.0:8088", "insecure": True})
    assert Settings(**{**POLLED, "url": "http://127.0.0.1:9000", "token": "x"})


def test_no_secret_is_shown():
    settings = Settings(**{**POLLED, "username": "me", "password": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_points_of_one_resource_are_one_request():
    points = [
        {"name": "a", "json_path": "$.a"},
        {"name": "b", "json_path": "$.b"},
        {"name": "c", "path": "/other", "json_path": "$.c"},
    ]
    settings = Settings(
        **{**POLLED, "points": points, "path": "/status", "post": {"/other": {"q": 1}}}
    )
    plans = driver.plan(settings, ["a", "b", "c"])
    assert [(plan.label, plan.points) for plan in plans] == [
        ("GET /status", ("a", "b")),
        ("POST /other", ("c",)),
    ]


@pytest.mark.parametrize(
    ("write", "value", "path", "body"),
    [
        ({"path": "/x"}, 21.5, "/x", b"21.5"),
        ({"path": "/x", "body": {"a": ["{value}", "b"]}}, True, "/x", b'{"a":[true,"b"]}'),
        ({"path": "/x", "text": "T={value};"}, 3, "/x", b"T=3;"),
        ({"path": "/relay/0?turn={value}", "method": "GET"}, "on", "/relay/0?turn=on", None),
        ({"path": "/x/{value}"}, "a/../b?c", "/x/a%2F..%2Fb%3Fc", b'"a/../b?c"'),
    ],
)  # fmt: skip
def test_value_goes_where_the_template_says(write, value, path, body):
    request = write_request(Point(name="p"), Write(**write), value, {})
    assert (request.path, request.body) == (path, body)


def test_word_is_written_for_a_value_that_has_one():
    point = Point(name="p", map={"on": True, "one": 1})
    write = Write(path="/{value}")
    assert write_request(point, write, True, {}).path == "/on"
    assert write_request(point, write, 1, {}).path == "/one"
