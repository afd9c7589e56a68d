import ssl

import httpx
import pytest

from components.http.client import origin_of, retry_after_s
from components.http.errors import FOREIGN, LOGIN_HINT, TLS_HINT, StatusError, mapped
from edge_runtime.errors import DeviceUnreachableError

ABSTRACT = {
    httpx.RequestError, httpx.TransportError, httpx.TimeoutException, httpx.NetworkError,
    httpx.ProtocolError,
}  # fmt: skip


def classes(kind=httpx.HTTPError):
    for inner in kind.__subclasses__():
        yield inner
        yield from classes(inner)


def test_every_exception_class_of_httpx_is_mapped():
    ours = {cls for cls in classes() if cls.__module__.startswith("httpx")}
    assert set(FOREIGN) == ours - ABSTRACT


@pytest.mark.parametrize("cls", sorted(FOREIGN, key=lambda cls: cls.__name__))
def test_httpx_exception_becomes_ours(cls):
    more = {"request": None, "response": None} if cls is httpx.HTTPStatusError else {}
    error = mapped(cls("broken", **more), "http://10.0.0.7/x")
    assert type(error) is FOREIGN[cls]
    assert "http://10.0.0.7/x" in str(error)


def test_untrusted_certificate_is_told_with_what_to_do():
    error = httpx.ConnectError("x")
    error.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed")
    told = mapped(error, "https://10.0.0.7")
    assert isinstance(told, DeviceUnreachableError)
    assert "is not trusted" in str(told)
    assert told.hint == TLS_HINT


@pytest.mark.parametrize("status", [401, 403])
def test_refused_login_has_a_hint(status):
    assert StatusError(status, "x").hint == LOGIN_HINT
    assert StatusError(799, "x").detail == "799"


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [("30", 30), ("", 0), ("-3", 0), ("99999999999999", 0), ("soon", 0), ("999999", 3600),
     ("Thu, 01 Jan 1970 00:02:00 GMT", 20), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_within_an_hour(text, wait_s):
    assert retry_after_s(text, now=100.0) == wait_s


def test_origin_has_the_default_port():
    assert origin_of("https://A.example/x") == origin_of("https://a.example:443/y")
    assert origin_of("http://a.example") != origin_of("https://a.example")
    assert origin_of("http://a:99999") != origin_of("http://a")
