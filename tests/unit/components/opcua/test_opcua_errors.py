import asyncio
import inspect
import struct
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.common import sql_injection
from asyncua.common import utils as common
from asyncua.crypto import uacrypto

from components.opcua.errors import (
    CAUGHT,
    HINTS,
    LOST,
    UNTRUSTED,
    GatewayUntrustedError,
    ServerUntrustedError,
    in_our_words,
    mapped,
)
from components.opcua.status import REASONS
from components.opcua.subscription import REFUSED, WITHOUT_FILTER
from components.opcua.trust import REJECTED, Kept
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError

STORE_ONLY = {"SqlInjectionError"}
"""Of asyncua's own history database, which a client never has."""


def test_every_exception_class_of_asyncua_is_caught():
    found = {
        cls
        for module in (ua, common, uacrypto, sql_injection)
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, Exception) and cls.__module__.startswith("asyncua")
    }
    assert {cls.__name__ for cls in found if not issubclass(cls, CAUGHT)} == STORE_ONLY


@pytest.mark.parametrize(
    "names", [LOST, UNTRUSTED, REFUSED, WITHOUT_FILTER, HINTS.keys(), REASONS.keys()]
)
def test_codes_are_those_of_the_specification(names):
    assert not [name for name in names if not hasattr(ua.StatusCodes, name)]


@pytest.mark.parametrize("name", sorted(LOST))
def test_end_of_a_session_is_unreachable(name):
    error = mapped(ua.UaStatusCodeError(getattr(ua.StatusCodes, name)), "opc.tcp://plc")
    assert isinstance(error, DeviceUnreachableError)
    assert name in str(error)
    assert error.hint


def test_any_other_status_is_a_refusal():
    error = mapped(ua.UaStatusCodeError(ua.StatusCodes.BadServiceUnsupported), "opc.tcp://plc")
    assert isinstance(error, DeviceRefusedError)
    assert str(error) == "opc.tcp://plc refused: BadServiceUnsupported"


@pytest.mark.parametrize(
    ("exc", "text"),
    [
        (TimeoutError(), "did not answer in time"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            "cannot be reached: Connection refused",
        ),
        (ua.UaError("No request found"), "cannot be understood: No request found"),
        (AssertionError(), "cannot be understood: AssertionError"),
        (struct.error("unpack"), "cannot be understood: unpack"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), "cannot be understood"),
    ],
)
def test_foreign_errors_are_unreachable_with_a_hint(exc, text):
    error = mapped(exc, "opc.tcp://plc")
    assert isinstance(error, DeviceUnreachableError)
    assert text in str(error)
    assert error.hint


async def test_ours_and_cancelling_pass_unchanged():
    ours = DeviceRefusedError("no")
    with pytest.raises(DeviceError) as caught:
        async with in_our_words("plc"):
            raise ours
    assert caught.value is ours
    with pytest.raises(asyncio.CancelledError):
        async with in_our_words("plc"):
            raise asyncio.CancelledError


def test_untrusted_server_is_told_with_what_to_do():
    kept = Kept("pending", "ab" * 32, Path("/pki/pending/x.der"))
    error = ServerUntrustedError("opc.tcp://plc", kept, "/pki")
    assert "ab" * 32 in str(error)
    assert "/pki/pending/x.der" in str(error)
    assert error.hint.endswith(f"tidegate edge trust accept {'ab' * 8} --pki /pki")
    assert "rejected" in str(ServerUntrustedError("plc", kept._replace(state=REJECTED), "/pki"))


def test_untrusting_server_is_told_with_our_certificate():
    error = GatewayUntrustedError("opc.tcp://plc", "/pki/own/certificate.der", "BadX")
    assert "does not trust this gateway's certificate yet (BadX)" in str(error)
    assert "/pki/own/certificate.der" in error.hint
