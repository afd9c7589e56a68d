"""Errors of the HTTP library become ours, all of them."""

import ssl
import subprocess
import sys

import httpx
import pytest

from cloud_sync.errors import CloudUnreachableError, LineDownError, UntrustedCloudError
from cloud_sync.transports.https import _line_error, _mapped_errors, open_client

KNOWN = {
    "CloseError", "ConnectError", "ConnectTimeout", "DecodingError", "HTTPStatusError",
    "LocalProtocolError", "NetworkError", "PoolTimeout", "ProtocolError", "ProxyError",
    "ReadError", "ReadTimeout", "RemoteProtocolError", "RequestError", "TimeoutException",
    "TooManyRedirects", "TransportError", "UnsupportedProtocol", "WriteError", "WriteTimeout",
}  # fmt: skip


def below(error: type[Exception]) -> set[type[Exception]]:
    return {error}.union(*(below(child) for child in error.__subclasses__()))


def test_the_library_has_no_error_that_we_do_not_know():
    assert {error.__name__ for error in below(httpx.HTTPError)} - {"HTTPError"} == KNOWN


@pytest.mark.parametrize("name", sorted(KNOWN - {"HTTPStatusError"}))
def test_each_error_of_the_library_is_one_of_the_line(name):
    with pytest.raises(LineDownError), _mapped_errors():
        raise getattr(httpx, name)("broken")


def test_no_connection_is_told_from_a_broken_one():
    assert type(_line_error(httpx.ConnectError("refused"))) is CloudUnreachableError
    assert type(_line_error(httpx.ReadError("reset"))) is LineDownError


def test_a_certificate_that_does_not_verify_is_told_from_a_line_that_is_down():
    error = httpx.ConnectError("handshake")
    error.__cause__ = ssl.SSLCertVerificationError()
    error.__cause__.verify_message = "self-signed certificate"
    found = _line_error(error)
    assert isinstance(found, UntrustedCloudError)
    assert "new claim" in found.hint


async def test_only_https_is_spoken():
    with pytest.raises(LineDownError, match="https://"):
        async with open_client("http://cloud.example", None):
            pass


def test_the_librarys_command_line_is_not_loaded():
    look = "import cloud_sync.transports.https, sys; print('rich' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True)
    assert found.stdout == b"False\n"
